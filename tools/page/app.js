// What the page's controls do.

const largestFile = 64 * 1024 * 1024;

const trips = new RoundTrips();
const messages = new MessageList();
const chart = new Chart(byId('chart'));
let probes = 0;
let everCalled = false;

const stateWords = {
  idle: 'Not connected',
  connecting: 'Connecting…',
  open: 'Connected',
  closing: 'Closing…',
  waiting: 'Line dropped',
};

const line = new Line({
  changed(state, more) {
    document.documentElement.dataset.state = state;
    byId('state-word').textContent = stateWords[state];
    byId('state-more').textContent = moreOf(state, more);
    const free = state === 'idle';
    byId('connect').textContent =
      state === 'open' ? 'Disconnect' : free ? (everCalled ? 'Reconnect' : 'Connect') : 'Stop';
    byId('connect').disabled = state === 'closing';
    byId('url').readOnly = !free;
    for (const id of ['send', 'ping', 'file', 'close']) byId(id).disabled = state !== 'open';
  },
  opened({protocol, offered}) {
    trips.forget();
    byId('ending').hidden = true;
    if (protocol === handshakeProtocol) return;
    const why =
      offered ? `this server preferred the subprotocol ${protocol} to handshake.hotline, by which it could`
      : byId('ask-handshake').checked ? 'this server does not speak handshake.hotline, by which it could'
      : 'this server was not asked to';
    forgetHandshake(`Connected. A browser does not show a page its handshake, and ${why}.`);
  },
  handshake(heads) {
    showHandshake(heads);
  },
  message(data, at) {
    const size = typeof data === 'string' ? encoder.encode(data).length : data.byteLength;
    const echo = trips.received(data, at);
    pulse('received');
    if (echo) chart.add(echo.took, echo.message.isProbe);
    if (echo?.message.isProbe) {
      byId('ping-result').textContent = `Round trip ${timeText(echo.took)}`;
      return;
    }
    messages.add({direction: 'received', data, size, took: echo?.took,
                  echoOf: echo?.message.number});
  },
  ended: showEnding,
});

function moreOf(state, {code, opened, wait, attempt}) {
  if (state === 'waiting') return `with code ${code}. Calling again in ${timeText(wait)} (attempt ${attempt}).`;
  if (state === 'connecting' && attempt > 0) return `(attempt ${attempt})`;
  if (state === 'idle' && code !== undefined) {
    return opened ? `– closed with ${code}, ${describeCode(code)[0].toLowerCase()}`
                  : '– the server could not be reached, or refused. A browser does not say which.';
  }
  return '';
}

function showEnding({code, reason, wasClean, byPage, opened, lasted, again}) {
  if (again) return;  // what matters is how the call ended, not that it is not taken up yet
  const [name, meaning] = describeCode(code);
  byId('ending-code').textContent = code;
  byId('ending-name').textContent = name;
  byId('ending-meaning').textContent = meaning;
  byId('ending-by').textContent = byPage ? 'this page' : wasClean ? 'the server' : 'nobody: it was lost';
  byId('ending-clean').textContent = wasClean ? 'yes, with a closing handshake' : 'no';
  byId('ending-reason').textContent = reason || 'none';
  byId('ending-lasted').textContent = opened ? timeText(lasted) : 'it never came about';
  byId('ending').hidden = false;
}

// A little light runs along the cord.
function pulse(direction) {
  const cord = byId('cord');
  if (matchMedia('(prefers-reduced-motion: reduce)').matches || cord.childElementCount > 8) return;
  const spark = element('span', `spark ${direction}`);
  cord.append(spark);
  const ends = direction === 'sent' ? ['0%', '100%'] : ['100%', '0%'];
  spark.animate({left: ends, opacity: [0, 1, 1, 0]}, {duration: 500, easing: 'ease-in-out'})
    .finished.finally(() => spark.remove());
}

function sendMessage(data, name) {
  const size = typeof data === 'string' ? encoder.encode(data).length : data.byteLength;
  const message = {data, size, isProbe: false, number: 0};
  trips.sent(message);
  line.send(data);
  message.number = messages.add({direction: 'sent', data, size, name});
  pulse('sent');
}

function sendProbe() {
  if (line.state !== 'open') return;
  const data = `echo? ${++probes}`;
  trips.sent({data, size: data.length, isProbe: true});
  line.send(data);
  pulse('sent');
}

// Bytes of a text such as "00 ff", or "00ff"; null if it is not one.
function parseHex(text) {
  const digits = text.replace(/[\s,:]|0x/gi, '');
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) return null;
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16)).buffer;
}

function complain(id, text, ...inputs) {
  byId(id).textContent = text;
  for (const input of inputs) input.setAttribute('aria-invalid', text ? 'true' : 'false');
  if (text) inputs[0]?.focus();
  return !text;
}

// What the message's field holds, as text or bytes; null where it is neither.
function composed() {
  const text = byId('message').value;
  return document.querySelector('[name=kind]:checked').value === 'text' ? text : parseHex(text);
}

function measure() {
  const data = composed();
  const size = typeof data === 'string' ? encoder.encode(data).length : data?.byteLength;
  byId('message-size').textContent = data === null ? 'Not hex yet.' : `${bytesText(size)}.`;
  complain('message-error', '', byId('message'));
}

async function sendFiles(files) {
  complain('message-error', '');
  for (const file of files) {
    if (file.size > largestFile) {
      complain('message-error', `${file.name} is larger than ${bytesText(largestFile)}, which this page does not send.`);
      continue;
    }
    try {
      const data = await file.arrayBuffer();
      if (line.state !== 'open') return complain('message-error', 'Not connected: nothing was sent.');
      sendMessage(data, file.name);
    } catch {
      complain('message-error', `${file.name} cannot be read (is it a folder?).`);
    }
  }
}

byId('dial').addEventListener('submit', (event) => {
  event.preventDefault();
  if (line.state === 'open') return line.hangUp(1000);
  if (line.state !== 'idle') return line.hangUp();
  const url = byId('url');
  try {
    const protocols = byId('protocols').value.split(',').map((each) => each.trim()).filter(Boolean);
    line.call({url: url.value.trim(), protocols, asksHandshake: byId('ask-handshake').checked});
    everCalled = true;
    byId('far-end').textContent = new URL(url.value.trim()).host;
    complain('url-error', '', url);
  } catch (error) {
    complain('url-error', error.name === 'SecurityError'
      ? 'A page that came over https may only call wss:// addresses.'
      : 'This is not an address to call. It begins with ws:// or wss://, and subprotocols are distinct tokens.', url);
  }
});

byId('compose').addEventListener('submit', (event) => {
  event.preventDefault();
  if (line.state !== 'open') return;
  const data = composed();
  const field = byId('message');
  if (!complain('message-error', data === null ? 'Bytes in hex are pairs of 0 to 9 and a to f, such as 48 69.' : '', field)) return;
  sendMessage(data);
  field.focus();
  field.select();  // to be sent again, or typed over
});

byId('message').addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  byId('compose').requestSubmit();
});
byId('message').addEventListener('input', measure);
for (const kind of document.querySelectorAll('[name=kind]')) kind.addEventListener('change', measure);

byId('file').addEventListener('change', async () => {
  await sendFiles([...byId('file').files]);
  byId('file').value = '';
});

let dragged = 0;
const drop = byId('drop');
const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
addEventListener('dragover', (event) => carriesFiles(event) && event.preventDefault());
addEventListener('drop', (event) => {
  drop.classList.remove('dropping');
  dragged = 0;
  if (!carriesFiles(event)) return;
  event.preventDefault();  // or the browser would leave the page for the file
  if (line.state !== 'open') return complain('message-error', 'Connect first, then drop the file.');
  sendFiles([...event.dataTransfer.files]);
});
addEventListener('dragenter', (event) => {
  if (carriesFiles(event) && ++dragged > 0) drop.classList.add('dropping');
});
addEventListener('dragleave', (event) => {
  if (carriesFiles(event) && --dragged <= 0) drop.classList.remove('dropping');
});

byId('hang-up').addEventListener('submit', (event) => {
  event.preventDefault();
  if (line.state !== 'open') return;
  const code = Number(byId('code').value);
  if (!complain('close-error', mayBeSent(code) ? '' : 'A browser lets a page send 1000, or 3000 to 4999.', byId('code'))) return;
  const reason = byId('reason').value;
  const size = encoder.encode(reason).length;
  if (!complain('close-error', size > 123 ? `The reason has ${size} bytes; 123 fit into a close frame.` : '', byId('reason'))) return;
  line.hangUp(code, reason);
});

for (const id of ['code', 'reason']) {
  byId(id).addEventListener('input', () => complain('close-error', '', byId('code'), byId('reason')));
}
byId('ping').addEventListener('click', sendProbe);
setInterval(() => byId('ping-often').checked && sendProbe(), 1000);
byId('clear').addEventListener('click', () => {
  messages.clear();
  chart.clear();
});
byId('auto').addEventListener('change', () => {
  line.reconnects = byId('auto').checked;
  if (!line.reconnects && line.state === 'waiting') line.hangUp();
});
byId('url').addEventListener('input', () => complain('url-error', '', byId('url')));

const home = new URL('echo', location.href);
home.protocol = home.protocol === 'https:' ? 'wss:' : 'ws:';
home.search = home.hash = '';
byId('url').value = home.href;
byId('far-end').textContent = home.host;
line.reconnects = byId('auto').checked;  // a reload keeps what was chosen
fillCodeTable(byId('codes'));
measure();
