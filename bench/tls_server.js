// An echo by TLS for Bun: bun tls_server.js PORT CERTIFICATE KEY
Bun.serve({
  port: Number(process.argv[2]),
  hostname: "127.0.0.1",
  tls: { cert: Bun.file(process.argv[3]), key: Bun.file(process.argv[4]) },
  fetch(request, self) {
    return self.upgrade(request) ? undefined : new Response("ok");
  },
  websocket: {
    perMessageDeflate: false,
    maxPayloadLength: 64 << 20,
    message(socket, message) { socket.send(message); },
  },
});
