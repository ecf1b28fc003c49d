// The same as fanout_server.cc for Bun: bun fanout_server.js PORT
const server = Bun.serve({
  port: Number(process.argv[2]),
  hostname: "127.0.0.1",
  fetch(request, self) {
    return self.upgrade(request) ? undefined : new Response("a WebSocket only", { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    open(socket) { socket.subscribe("all"); },
    message(socket, message) {
      server.publish("all", message);
    },
  },
});
