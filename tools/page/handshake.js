// Both heads of the handshake, and the way from Key to Accept with their real values.

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';  // RFC 6455, 1.3

// The first message of a server that has agreed on handshake.hotline; null if it is something else.
function parseHandshake(data) {
  try {
    const heads = JSON.parse(data);
    const whole = typeof heads.request === 'string' && typeof heads.response === 'string';
    return whole ? heads : null;
  } catch {
    return null;
  }
}

function headerOf(head, name) {
  const line = head.split('\r\n').slice(1).find(
    (each) => each.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  return line ? line.slice(name.length + 1).trim() : '';
}

function showHead(target, head, name, className) {
  target.replaceChildren();
  const lines = head.replace(/(\r\n)+$/, '').split('\r\n');
  lines.forEach((line, at) => {
    const colon = line.indexOf(':');
    const made = element('span', at === 0 ? 'head-line first' : 'head-line');
    if (at === 0 || colon < 0) {
      made.textContent = line;
    } else {
      const field = line.slice(0, colon);
      const special = field.toLowerCase() === name.toLowerCase();
      made.append(element('span', 'field', `${field}:`),
                  element('span', special ? className : '', line.slice(colon + 1)));
    }
    made.append('\n');  // for those who copy it
    target.append(made);
  });
}

async function digestOf(text) {
  const bytes = encoder.encode(text);
  if (globalThis.crypto?.subtle) {
    return [new Uint8Array(await crypto.subtle.digest('SHA-1', bytes)), 'by the browser’s WebCrypto'];
  }
  return [sha1(bytes), 'by this page’s own code: WebCrypto needs https or localhost'];
}

function forgetHandshake(note) {
  byId('handshake').hidden = true;
  byId('handshake-note').hidden = false;
  byId('handshake-note').textContent = note;
}

async function showHandshake({request, response}) {
  const key = headerOf(request, 'Sec-WebSocket-Key');
  const accept = headerOf(response, 'Sec-WebSocket-Accept');
  const [digest, how] = await digestOf(key + guid);
  const expected = btoa(String.fromCharCode(...digest));

  showHead(byId('request'), request, 'Sec-WebSocket-Key', 'key');
  showHead(byId('response'), response, 'Sec-WebSocket-Accept', 'accept');
  byId('step-key').textContent = key;
  byId('step-joined-key').textContent = key;
  byId('step-guid').textContent = guid;
  byId('step-length').textContent = key.length + guid.length;
  byId('step-how').textContent = `(Computed ${how}.)`;
  byId('step-sha').textContent = hexText(digest);
  byId('step-accept').textContent = expected;
  byId('step-server').textContent = accept;
  byId('verdict').textContent = expected === accept
    ? '✓ The server’s Accept is the same. The line is up.'
    : '✗ The server’s Accept is another.';
  byId('verdict').classList.toggle('bad', expected !== accept);
  byId('handshake-note').hidden = true;
  byId('handshake').hidden = false;
}
