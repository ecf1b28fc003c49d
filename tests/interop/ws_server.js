// node's ws as a server, with the paths of gorilla/server.go: node ws_server.js [CERTIFICATE KEY].
// Prints its URL, ends with its standard input.
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const { WebSocketServer } = require('ws');

const [certificate, key] = process.argv.slice(2);
const server = certificate
  ? https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) })
  : http.createServer();
const sockets = new WebSocketServer({
  noServer: true,
  maxPayload: 1 << 26,
  perMessageDeflate: true, // for whoever asks for it
  handleProtocols: (offered) => (offered.has('echo') ? 'echo' : false),
});

function echo(socket, query) {
  const size = Number(query.get('size')) || 0;
  socket.on('message', (data, binary) => {
    if (!size) return socket.send(data, { binary });
    let at = 0;
    for (; data.length - at > size; at += size) {
      socket.send(data.subarray(at, at + size), { binary, fin: false });
    }
    return socket.send(data.subarray(at), { binary });
  });
}

const paths = {
  '/echo': echo,
  '/pieces': echo,
  '/close': (socket, query) => socket.close(Number(query.get('code')), query.get('reason')),
  '/ping': (socket, query) => {
    socket.on('pong', (payload) => socket.send(`pong: ${payload}`));
    socket.ping(query.get('payload'));
  },
  '/greet': (socket, query) => {
    socket.send('hello');
    echo(socket, query);
  },
};

server.on('upgrade', (request, stream, head) => {
  const { pathname, searchParams } = new URL(request.url, 'ws://localhost');
  if (!paths[pathname]) return stream.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
  return sockets.handleUpgrade(request, stream, head, (socket) => {
    paths[pathname](socket, searchParams);
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(`${certificate ? 'wss' : 'ws'}://localhost:${server.address().port}`);
});
process.stdin.on('end', () => process.exit(0)).resume();
