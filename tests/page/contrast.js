// The texts that one sees and that stand out too little from what is behind them (WCAG 2, 1.4.3):
// less than 4.5, or 3 where they are large. Of what is behind, backgrounds count, one over the other.

function parse(colour) {
  const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
  return [r, g, b, a];
}

function over([r, g, b, a], below) {
  return [r, g, b].map((part, at) => part * a + below[at] * (1 - a));
}

function behind(element) {
  const layers = [];
  for (let each = element; each; each = each.parentElement) {
    const layer = parse(getComputedStyle(each).backgroundColor);
    layers.push(layer);
    if (layer[3] === 1) break;
  }
  return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
}

function luminance(colour) {
  const [r, g, b] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function ratio(a, b) {
  const [darker, lighter] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}

function isSeen(element) {
  const {width, height} = element.getBoundingClientRect();
  return width > 1 && height > 1 &&
         element.checkVisibility({checkOpacity: true, checkVisibilityCSS: true});
}

const faint = [];
const seen = new Set();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  if (walker.currentNode.data.trim()) seen.add(walker.currentNode.parentElement);
}
for (const field of document.querySelectorAll('input, textarea')) seen.add(field);
for (const element of seen) {
  if (['SCRIPT', 'STYLE', 'OPTION', 'NOSCRIPT'].includes(element.tagName) || !isSeen(element)) continue;
  const style = getComputedStyle(element);
  const ground = behind(element);
  const colour = over(parse(element.closest('svg') ? style.fill : style.color), ground);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  const found = ratio(colour, ground);
  if (found < (large ? 3 : 4.5)) {
    faint.push(`${element.tagName} "${element.textContent.trim().slice(0, 40)}": ${found.toFixed(2)}`);
  }
}
return faint;
