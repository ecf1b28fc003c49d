// The list of messages: the latest only, newest first, drawn once a frame however many come.

const mostShown = 200;
const mostPreview = 120;
const mostKept = 4096;

// What of a message is shown: {line, more}, of which `more` is "" where the line is all.
function previewOf(data) {
  if (typeof data === 'string') {
    const line = data.slice(0, mostPreview).replace(/\s+/g, ' ');
    const more = data.length > mostPreview || data.includes('\n') ? data.slice(0, mostKept) : '';
    return {line, more: more && more + (data.length > mostKept ? '\n[the rest is not kept]' : '')};
  }
  const bytes = new Uint8Array(data, 0, Math.min(data.byteLength, 256));
  const rows = [];
  for (let at = 0; at < bytes.length && bytes.length > 24; at += 16) {
    rows.push(`${at.toString(16).padStart(4, '0')}  ${hexText(bytes.slice(at, at + 16))}`);
  }
  if (data.byteLength > bytes.length) rows.push('[the rest is not kept]');
  return {line: hexText(bytes.slice(0, 24)), more: rows.join('\n')};
}

class MessageList {
  #pending = [];
  #frame = 0;
  #number = 0;
  #told = -Infinity;
  #totals = {sent: {count: 0, bytes: 0}, received: {count: 0, bytes: 0}};

  // direction: "sent" or "received"; took: of an echo, else undefined; name: of a file.
  add({direction, data, size, took, name, echoOf}) {
    const total = this.#totals[direction];
    ++total.count;
    total.bytes += size;
    ++this.#number;
    const kind = typeof data === 'string' ? 'text' : 'binary';
    this.#pending.push({direction, kind, size, took, name, echoOf, number: this.#number,
                        at: new Date(), preview: previewOf(data)});
    if (this.#pending.length > mostShown) this.#pending.shift();
    this.#frame ||= requestAnimationFrame(() => this.#draw());
    if (direction === 'received') this.#tell(kind, size, took);
    return this.#number;
  }

  clear() {
    this.#pending = [];
    this.#number = 0;
    for (const total of Object.values(this.#totals)) total.count = total.bytes = 0;
    byId('messages').replaceChildren();
    this.#draw();
  }

  #draw() {
    this.#frame = 0;
    const list = byId('messages');
    for (const message of this.#pending) list.prepend(this.#row(message));
    this.#pending = [];
    while (list.childElementCount > mostShown) list.lastElementChild.remove();
    const {sent, received} = this.#totals;
    byId('totals').textContent = this.#number === 0
      ? 'Nothing sent or received yet.'
      : `Sent ${countText(sent.count, 'message')}, ${bytesText(sent.bytes)}. ` +
        `Received ${countText(received.count, 'message')}, ${bytesText(received.bytes)}.`;
    byId('capped').textContent = this.#number > mostShown
      ? `The latest ${mostShown} of ${this.#number} are shown; older ones are not kept.` : '';
  }

  #row({direction, kind, size, took, name, echoOf, number, at, preview}) {
    const row = element('li', `message ${direction}`);
    row.value = number;
    const head = element('div', 'message-head');
    head.append(element('span', 'direction', direction === 'sent' ? '↗ Sent' : '↙ Received'),
                element('span', 'kind', kind), element('span', 'size', bytesText(size)));
    if (took !== undefined) {
      const trip = element('span', 'took', timeText(took));
      trip.title = `Round trip of message ${echoOf}`;
      trip.prepend(element('span', 'unseen', `echo of message ${echoOf} after `));
      head.append(trip);
    }
    const time = element('time', 'at', at.toLocaleTimeString([], {hour12: false}));
    time.dateTime = at.toISOString();
    head.append(time);
    row.append(head);

    const cut = preview.more && preview.line ? `${preview.line} …` : preview.line;
    const line = name ? `${name}: ${cut}` : cut || '(empty)';
    if (preview.more) {
      const details = element('details', 'body');
      details.append(element('summary', kind, line), element('pre', '', preview.more));
      row.append(details);
    } else {
      row.append(element('p', `body ${kind}`, line));
    }
    return row;
  }

  // For those who listen: once a second at most.
  #tell(kind, size, took) {
    const now = performance.now();
    if (now - this.#told < 1000) return;
    this.#told = now;
    const trip = took === undefined ? '' : `, round trip ${timeText(took)}`;
    byId('heard').textContent = `Received ${kind}, ${bytesText(size)}${trip}`;
  }
}
