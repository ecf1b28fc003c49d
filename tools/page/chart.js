// The last round trips, on a logarithmic scale: small echoes and large files are on one chart.

const mostTrips = 80;

class Chart {
  #trips = [];
  #all = 0;
  #frame = 0;

  constructor(place) {
    this.place = place;
    new ResizeObserver(() => this.#later()).observe(place);
  }

  add(took, isProbe) {
    this.#trips.push({took, isProbe});
    if (this.#trips.length > mostTrips) this.#trips.shift();
    ++this.#all;
    this.#later();
  }

  clear() {
    this.#trips = [];
    this.#all = 0;
    this.#later();
  }

  #later() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#figures();
      this.#draw();
    });
  }

  #figures() {
    const sorted = this.#trips.map(({took}) => took).sort((a, b) => a - b);
    const some = sorted.length > 0;
    byId('trip-last').textContent = some ? timeText(this.#trips.at(-1).took) : '–';
    byId('trip-median').textContent = some ? timeText(sorted[sorted.length >> 1]) : '–';
    byId('trip-worst').textContent = some ? timeText(sorted.at(-1)) : '–';
    byId('trip-note').textContent = this.#all > mostTrips ? `(the last ${mostTrips} of ${this.#all})` : '';
  }

  #draw() {
    const width = Math.max(200, Math.round(this.place.clientWidth));
    const height = 150;
    const [left, right, top, bottom] = [52, 10, 10, 12];
    const svg = this.#shape('svg', {viewBox: `0 0 ${width} ${height}`, width, height, role: 'img'});
    const times = this.#trips.map(({took}) => Math.max(took, 0.01));
    svg.setAttribute('aria-label', times.length === 0
      ? 'Chart of the round trips: none yet'
      : `Chart of the last ${countText(times.length, 'round trip')}, from ` +
        `${timeText(Math.min(...times))} to ${timeText(Math.max(...times))}`);

    let low = times.length ? Math.floor(Math.log10(Math.min(...times))) : -1;
    let high = times.length ? Math.ceil(Math.log10(Math.max(...times))) : 1;
    if (high - low < 2) high = low + 2;
    const y = (time) =>
      top + (height - top - bottom) * (1 - (Math.log10(time) - low) / (high - low));
    for (let power = low; power <= high; ++power) {
      const at = Math.round(y(10 ** power)) + 0.5;
      svg.append(this.#shape('line', {x1: left, x2: width - right, y1: at, y2: at, class: 'grid'}));
      const text = this.#shape('text', {x: left - 8, y: at + 4, 'text-anchor': 'end'});
      text.textContent = power >= 3 ? `${10 ** (power - 3)} s` : `${Number((10 ** power).toPrecision(1))} ms`;
      svg.append(text);
    }

    // The newest on the right.
    const step = (width - left - right - 10) / (Math.max(times.length, 25) - 1);
    const x = (at) => width - right - 5 - (times.length - 1 - at) * step;
    const points = times.map((time, at) => [x(at), y(time)]);
    if (points.length > 1) {
      svg.append(this.#shape('polyline', {class: 'thread', points: points.map((p) => p.join(',')).join(' ')}));
    }
    points.forEach(([cx, cy], at) => {
      const kind = this.#trips[at].isProbe ? 'point hollow' : 'point';
      svg.append(this.#shape('circle', {cx, cy, r: at === points.length - 1 ? 4.5 : 3, class: kind}));
    });
    this.place.replaceChildren(svg);
  }

  #shape(name, attributes) {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }
}
