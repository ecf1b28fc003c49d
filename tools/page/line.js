// One line to a server: connecting, talking, hanging up, and calling again when it drops.
//
//     idle ──call──► connecting ──► open ──► closing ──► idle
//                       ▲             └──dropped──► waiting ──┐
//                       └─────────────────────────────────────┘

const handshakeProtocol = 'handshake.hotline';
const shortestWait = 500;
const longestWait = 30000;

class Line {
  state = 'idle';
  reconnects = true;
  #listener;
  #socket = null;
  #target = null;      // {url, protocols, asksHandshake}
  #attempt = 0;        // in vain, since it was last open
  #timer = 0;
  #reasonGiven = '';
  #droppedWith = 0;    // the code that it calls again for
  #awaitsHandshake = false;
  #takes = new Set();  // those that are known to take handshake.hotline, by URL,
  #refuses = new Set();  // and those that are not

  // Told of: changed(state, more), handshake(heads), message(data, at), ended(how), opened(...)
  constructor(listener) {
    this.#listener = listener;
    addEventListener('online', () => this.state === 'waiting' && this.#connect());
  }

  // Throws what WebSocket's constructor throws.
  call(target) {
    this.#attempt = 0;
    this.#target = target;
    this.#connect();
  }

  send(data) {
    this.#socket.send(data);
  }

  // Also where there is only a wait for the next call to be given up.
  hangUp(code, reason) {
    clearTimeout(this.#timer);
    if (this.state === 'waiting') return this.#become('idle');
    this.#become('closing');
    this.#reasonGiven = reason ?? '';
    this.#socket.close(code, reason);
  }

  #become(state, more = {}) {
    this.state = state;
    this.#listener.changed(state, more);
  }

  #connect() {
    clearTimeout(this.#timer);
    const {url, protocols, asksHandshake} = this.#target;
    const offers = asksHandshake && !this.#refuses.has(url) && !protocols.includes(handshakeProtocol);
    const socket = new WebSocket(url, offers ? [...protocols, handshakeProtocol] : protocols);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    let openedAt = 0;
    socket.onopen = () => {
      openedAt = performance.now();
      this.#attempt = 0;
      this.#awaitsHandshake = socket.protocol === handshakeProtocol;
      if (this.#awaitsHandshake) this.#takes.add(url);
      this.#listener.opened({protocol: socket.protocol, offered: offers});
      this.#become('open');
    };
    socket.onmessage = ({data}) => {
      const now = performance.now();
      const heads = this.#awaitsHandshake && typeof data === 'string' ? parseHandshake(data) : null;
      this.#awaitsHandshake = false;
      if (heads) {
        this.#listener.handshake(heads);
      } else {
        this.#listener.message(data, now);
      }
    };
    socket.onclose = (event) => {
      // A browser drops a server that takes none of the subprotocols offered, so it is tried without.
      if (!openedAt && offers && !this.#takes.has(url) && this.state === 'connecting') {
        this.#refuses.add(url);
        return this.#connect();
      }
      if (!openedAt) this.#refuses.delete(url);  // it was not that
      this.#ended(event, openedAt);
    };
    this.#become('connecting', {attempt: this.#attempt});
  }

  #ended({code, reason, wasClean}, openedAt) {
    const byPage = this.state === 'closing';
    const lasted = openedAt ? performance.now() - openedAt : 0;
    this.#socket = null;
    if (openedAt || this.#attempt === 0) this.#droppedWith = code;
    this.#listener.ended({code, reason: byPage ? this.#reasonGiven : reason, wasClean, byPage,
                          opened: openedAt > 0, lasted, again: this.#attempt > 0});
    const calling = openedAt > 0 || this.#attempt > 0;
    if (byPage || !this.reconnects || !calling || !isWorthAnotherCall(code)) {
      return this.#become('idle', {code, opened: openedAt > 0});
    }
    const most = Math.min(longestWait, shortestWait * 2 ** this.#attempt);
    const wait = most * (0.5 + Math.random() / 2);  // so that not all come back at once
    ++this.#attempt;
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#become('waiting', {code: this.#droppedWith, wait, attempt: this.#attempt});
  }
}
