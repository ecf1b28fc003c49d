// Which message is the echo of which, and how long it took.

const mostAwaited = 1000;
const mostAwaitedBytes = 64 * 1024 * 1024;

function sameData(a, b) {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  if (a.byteLength !== b.byteLength) return false;
  const left = new Uint8Array(a);
  const right = new Uint8Array(b);
  return left.every((byte, at) => byte === right[at]);
}

class RoundTrips {
  #awaited = [];
  #bytes = 0;

  // To be called just before it is sent. `data` is a string or an ArrayBuffer.
  sent(message) {
    this.#awaited.push({message, at: performance.now()});
    this.#bytes += message.size;
    while (this.#awaited.length > mostAwaited ||
           (this.#bytes > mostAwaitedBytes && this.#awaited.length > 1)) {
      this.#bytes -= this.#awaited.shift().message.size;
    }
  }

  // The message that this is the echo of, and its round trip; null if it is none. Echoes keep their
  // order, so what was sent before the one found gets none any more.
  received(data, now) {
    const found = this.#awaited.findIndex(({message}) => sameData(message.data, data));
    if (found < 0) return null;
    const {message, at} = this.#awaited[found];
    for (const each of this.#awaited.splice(0, found + 1)) this.#bytes -= each.message.size;
    return {message, took: now - at};
  }

  forget() {
    this.#awaited = [];
    this.#bytes = 0;
  }
}
