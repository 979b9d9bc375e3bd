// Line charts of rates over time, as SVG of our own.

import { element, setText, svg } from '/dom.js';

const left = 62, right = 8, top = 8, bottom = 20, height = 150;

/** A chart in a card of its own. */
export class Chart {
  /**
   * @param parent where the card goes
   * @param title its heading
   * @param format writes a value for the axis and the legend
   * @param names(point) the names of the lines
   * @param value(point, name, index) a line's value at a point
   * @param maximum the least upper end of the axis; with fixed: always that
   */
  constructor(parent, { title, format, names, value, maximum = 1, fixed = false }) {
    Object.assign(this, { format, names, value, maximum, fixed, points: [], seconds: 600, cursor: null });
    this.legend = element('span', 'legend');
    this.svg = svg('svg', { role: 'img', 'aria-label': title });
    const heading = element('h2', '', undefined, element('span', '', title), this.legend);
    parent.append(element('section', 'card chart', undefined, heading, this.svg));
    this.svg.addEventListener('pointermove', event => this.point(event.offsetX));
    this.svg.addEventListener('pointerleave', () => this.point(null));
  }

  /** Shows points of {time, …}, the oldest first, over so many seconds. */
  update(points, seconds) {
    this.points = points;
    this.seconds = seconds;
    this.draw();
  }

  point(x) {
    this.cursor = x;
    this.draw();
  }

  draw() {
    const width = this.svg.clientWidth;
    if (width === 0 || this.points.length === 0)
      return;
    const end = this.points.at(-1).time, begin = end - 1000 * this.seconds;
    const shown = this.points.filter(point => point.time >= begin - 1500);
    const names = this.names(this.points.at(-1));
    const largest = Math.max(this.maximum, ...shown.flatMap(point => names.map((name, index) => this.value(point, name, index))));
    const limit = this.fixed ? this.maximum : niceLimit(largest);
    const x = time => left + (width - left - right) * Math.max(0, time - begin) / (end - begin);
    const y = value => height - bottom - (height - top - bottom) * Math.min(1, value / limit);

    const parts = [];
    for (let step = 0; step <= 2; step++) {
      const value = limit * step / 2;
      parts.push(
        svg('line', { class: 'grid', x1: left, x2: width - right, y1: y(value), y2: y(value) }),
        label(left - 6, y(value) + 4, 'end', this.format(value)));
    }
    for (const share of [0, 0.5, 1]) {
      const ago = Math.round(this.seconds * (1 - share)), anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
      parts.push(label(x(begin + (end - begin) * share), height - 4, anchor, ago === 0 ? 'now' : `−${ago} s`));
    }
    names.forEach((name, index) => {
      const places = shown.map(point => `${x(point.time).toFixed(1)} ${y(this.value(point, name, index)).toFixed(1)}`);
      const line = `M${places.join('L')}`;
      const color = index % 8;
      parts.push(
        svg('path', { class: `area f${color}`, d: `${line}V${y(0)}H${x(shown[0].time).toFixed(1)}Z` }),
        svg('path', { class: `line s${color}`, d: line }));
    });
    const at = this.pointAt(shown, begin, end, width);
    if (this.cursor !== null)
      parts.push(svg('line', { class: 'cursor', x1: x(at.time), x2: x(at.time), y1: top, y2: height - bottom }));
    this.svg.replaceChildren(...parts);
    this.showLegend(names, at);
  }

  /** The point below the pointer, else that of now. */
  pointAt(shown, begin, end, width) {
    if (this.cursor === null)
      return shown.at(-1);
    const time = begin + (end - begin) * (this.cursor - left) / (width - left - right);
    return shown.reduce((best, point) => Math.abs(point.time - time) < Math.abs(best.time - time) ? point : best);
  }

  showLegend(names, point) {
    if (this.legend.childElementCount !== names.length) {
      this.legend.replaceChildren(...names.map((name, index) =>
        element('span', '', undefined, element('i', `b${index % 8}`), element('span'), ' ', element('b'))));
    }
    names.forEach((name, index) => {
      const entry = this.legend.children[index];
      setText(entry.children[1], name);
      setText(entry.children[2], this.format(this.value(point, name, index)));
    });
  }
}

function label(x, y, anchor, text) {
  const made = svg('text', { x, y, 'text-anchor': anchor });
  made.textContent = text;
  return made;
}

/** The next of 1, 2, 5, 10, 20 … that is not below a value. */
function niceLimit(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find(step => step * power >= value * 0.999);
}
