// How numbers are written.

const encoder = new TextEncoder();

function bytesText(count) {
  if (count === 1) return '1 byte';
  if (count < 10000) return `${count} bytes`;
  if (count < 1024 * 1024) return `${(count / 1024).toFixed(1)} KiB`;
  return `${(count / 1024 / 1024).toFixed(2)} MiB`;
}

function timeText(milliseconds) {
  if (milliseconds < 9.995) return `${milliseconds.toFixed(2)} ms`;
  if (milliseconds < 999.5) return `${milliseconds.toFixed(milliseconds < 99.95 ? 1 : 0)} ms`;
  if (milliseconds < 60000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function countText(count, thing) {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

function hexText(bytes, between = ' ') {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(between);
}

function byId(id) {
  return document.getElementById(id);
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
