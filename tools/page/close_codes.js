// The close codes of RFC 6455, 7.4.1, and of the IANA registry "WebSocket Close Code Number".

const closeCodes = new Map([
  [1000, ['Normal closure', 'What the connection was for is done.']],
  [1001, ['Going away', 'The server shuts down, or a page was left.']],
  [1002, ['Protocol error', 'One end broke the rules of the protocol.']],
  [1003, ['Unsupported data', 'A kind of data came that this end does not take, such as binary.']],
  [1004, ['Reserved', 'It has no meaning yet.']],
  [1005, ['No status received', 'The close frame had no code. Never sent: the browser says so.']],
  [1006, ['Abnormal closure', 'The connection was lost, or never came about, without a close frame. Never sent: the browser says so.']],
  [1007, ['Invalid payload', 'Data did not fit its kind, such as text that is not UTF-8.']],
  [1008, ['Policy violation', 'A message was against the rules of the other end.']],
  [1009, ['Message too big', 'A message was larger than the other end takes.']],
  [1010, ['Mandatory extension', 'The client needs an extension that the server did not agree on.']],
  [1011, ['Internal error', 'The server met with something that it did not expect.']],
  [1012, ['Service restart', 'The server starts anew; come back a little later.']],
  [1013, ['Try again later', 'The server has too much to do.']],
  [1014, ['Bad gateway', 'A gateway had a bad answer from the server behind it.']],
  [1015, ['TLS handshake', 'TLS could not be agreed on. Never sent: the browser says so.']],
  [3000, ['Unauthorized', 'It must be said who is calling.']],
  [3003, ['Forbidden', 'It is known who is calling, and it is not allowed.']],
  [3008, ['Timeout', 'The other end took too long.']],
]);

// Ranges that have a meaning as such.
const closeRanges = [
  [0, 999, 'Not used', 'Codes below 1000 are not used.'],
  [1016, 2999, 'Unassigned', 'Kept for the protocol and its extensions.'],
  [3000, 3999, 'Unassigned', 'For libraries and frameworks, which may register their codes.'],
  [4000, 4999, 'Private use', 'What it means is between the two ends.'],
];

function describeCode(code) {
  const known = closeCodes.get(code);
  if (known) return known;
  const range = closeRanges.find(([first, last]) => first <= code && code <= last);
  return range ? range.slice(2) : ['Unknown', 'There is no such code.'];
}

// From a page. Others may not be sent by close(): the browser refuses.
function mayBeSent(code) {
  return code === 1000 || (Number.isInteger(code) && code >= 3000 && code <= 4999);
}

// After these, the same call may go well a little later.
function isWorthAnotherCall(code) {
  return [1001, 1006, 1011, 1012, 1013, 1014].includes(code);
}

function fillCodeTable(body) {
  const rows = [...closeCodes].map(([code, words]) => [code, String(code), words]);
  for (const [first, last, ...words] of closeRanges.slice(1)) {
    rows.push([last, `${first}–${last}`, first === 3000 ? ['Others', words[1]] : words]);
  }
  rows.sort((a, b) => a[0] - b[0]);
  for (const [, text, [name, meaning]] of rows) {
    const row = element('tr');
    const code = element('th', '', text);
    code.scope = 'row';
    const cell = element('td');
    cell.append(element('b', '', name), ' ', meaning);
    row.append(code, cell);
    body.append(row);
  }
}
