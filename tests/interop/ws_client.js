// Conversations of node's ws with the echo: node ws_client.js URL CONVERSATION [CA]. Status 0: all
// well.
'use strict';
const assert = require('assert');
const fs = require('fs');
const WebSocket = require('ws');

const url = process.argv[2];
const ca = process.argv[4] && fs.readFileSync(process.argv[4]);

class Call {
  constructor(options, protocols = []) {
    this.socket = new WebSocket(url, protocols, { ca, maxPayload: 1 << 26, ...options });
    this.heard = [];
    this.waiting = [];
    const tell = (event) => {
      const waiter = this.waiting.shift();
      if (waiter) waiter(event); else this.heard.push(event);
    };
    this.socket.on('open', () => tell(['open']));
    this.socket.on('message', (data, binary) => tell(['message', binary, data]));
    this.socket.on('pong', (data) => tell(['pong', data.toString()]));
    this.socket.on('close', (code, reason) => tell(['close', code, reason.toString()]));
    this.socket.on('error', (error) => tell(['error', error.message]));
  }

  next() {
    if (this.heard.length) return Promise.resolve(this.heard.shift());
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  async expect(...event) { assert.deepStrictEqual(await this.next(), event); }

  async echoes(data) {
    const [kind, binary, echo] = await this.next();
    assert.strictEqual(kind, 'message');
    assert.strictEqual(binary, typeof data !== 'string');
    assert.ok(Buffer.from(data).equals(echo), `another message of ${echo.length} bytes`);
  }

  static async open(options, protocols) {
    const call = new Call(options, protocols);
    await call.expect('open');
    return call;
  }
}

const conversations = {
  async sizes() {
    const call = await Call.open();
    for (const size of [0, 1, 125, 126, 65535, 65536, 1 << 20]) {
      const texts = ['*'.repeat(size), '電話☎📞'.repeat(size / 10)];
      for (const data of [...texts, Buffer.alloc(size, 0xff), Buffer.from(texts[1])]) {
        call.socket.send(data);
        await call.echoes(data);
      }
    }
  },

  async fragments() {
    const call = await Call.open();
    for (const [count, size] of [[2, 10], [100, 1], [1000, 100], [20, 65536]]) {
      for (const binary of [false, true]) {
        const parts = Array.from({ length: count }, (_, i) => String(i % 10).repeat(size));
        parts.forEach((part, i) => {
          call.socket.send(binary ? Buffer.from(part) : part, { fin: i === count - 1 });
        });
        await call.echoes(binary ? Buffer.from(parts.join('')) : parts.join(''));
      }
    }
  },

  async pings() {
    const call = await Call.open();
    for (const payload of ['', 'Hello', '*'.repeat(125)]) {
      call.socket.ping(payload);
      await call.expect('pong', payload);
    }
    call.socket.pong('unsolicited');
    call.socket.send('frag', { fin: false });
    call.socket.ping('between');
    call.socket.send('ment', { fin: true });
    await call.expect('pong', 'between');
    await call.echoes('fragment');
  },

  async subprotocols() {
    // ws itself refuses an answer that names none of what it offered, so it offers none; extensions
    // it offers by default.
    const call = await Call.open({ perMessageDeflate: true });
    assert.strictEqual(call.socket.protocol, '');
    assert.strictEqual(call.socket.extensions, '');
    call.socket.send('Hello');
    await call.echoes('Hello');
  },

  async closes() {
    for (const code of [1000, 1001, 1003, 1008, 1011, 3000, 4999]) {
      for (const reason of ['', 'Good bye', 'Auf Wiedersehn ☎']) {
        const call = await Call.open();
        call.socket.send('Hello');
        await call.echoes('Hello');
        call.socket.close(code, reason);
        await call.expect('close', code, '');
      }
    }
    const call = await Call.open();
    call.socket.close();
    await call.expect('close', 1005, '');
  },

  async limit() {  // for a server that takes 1 KiB
    const call = await Call.open();
    call.socket.send('*'.repeat(1025));
    const [kind, code, reason] = await call.next();
    assert.deepStrictEqual([kind, code], ['close', 1009]);
    assert.notStrictEqual(reason, '');
  },

  async drain() {
    const calls = await Promise.all(Array.from({ length: 20 }, () => Call.open()));
    console.log('connected');  // and the server is told to end
    for (const call of calls) {
      const [kind, code] = await call.next();
      assert.deepStrictEqual([kind, code], ['close', 1001]);
    }
  },

  async together() {
    await Promise.all(Array.from({ length: 20 }, async (_, name) => {
      const call = await Call.open();
      for (let i = 0; i < 100; ++i) {
        const message = `${name} ${i} ${'*'.repeat(i * 37)}`;
        call.socket.send(message);
        await call.echoes(message);
      }
      call.socket.close(1000);
      await call.expect('close', 1000, '');
    }));
  },

  async many() {
    const call = await Call.open();
    const size = (i) => (i * 131) % 5000;
    const messages = Array.from({ length: 2000 }, (_, i) => Buffer.alloc(size(i), i % 256));
    messages.forEach((message) => call.socket.send(message));
    for (const message of messages) await call.echoes(message);
  },

  async origin() {
    const foreign = new Call({ origin: 'http://example.com' });
    const [kind, text] = await foreign.next();
    assert.strictEqual(kind, 'error');
    assert.match(text, /403/);
    const own = await Call.open({ origin: url.replace(/^ws/, 'http').replace('/echo', '') });
    own.socket.send('Hello');
    await own.echoes('Hello');
  },
};

conversations[process.argv[3]]().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
