// Small charts by hand. The drawing is stretched to its place; words stand beside it as text.
import { h, s } from './dom.js';
import { duration, exact } from './time.js';

function path(points, x, y) {
  let d = '';
  let open = false;
  for (const point of points) {
    const value = y(point);
    if (value === null) {
      open = false;
      continue;
    }
    d += `${open ? 'L' : 'M'}${x(point).toFixed(1)} ${value.toFixed(1)}`;
    open = true;
  }
  return d;
}

function dots(points, x, y, kind) {
  return points
    .filter(
      (p, i) =>
        y(p) !== null &&
        (i === 0 || y(points[i - 1]) === null) &&
        (i === points.length - 1 || y(points[i + 1]) === null),
    )
    .map(p => s('path', { class: `dot ${kind}`, d: `M${x(p).toFixed(1)} ${y(p).toFixed(1)}h.01` }));
}

/** What the points cover, in milliseconds; a minute at least, so that the first ones do not fill the whole drawing. */
const spanOf = points => (points.length ? Math.max(60000, points[points.length - 1].at - points[0].at) : 600000);

/** A part of a whole, from 0 to 100. */
export const bar = (part, kind, said) =>
  s(
    'svg',
    { class: 'part', viewBox: '0 0 100 8', preserveAspectRatio: 'none', role: 'img', 'aria-label': said },
    s('path', { class: 'all', d: 'M0 4H100' }),
    s('path', { class: kind, d: `M0 4H${Math.max(1, Math.min(100, part)).toFixed(1)}` }),
  );

/** Lines over the last minutes; each is [name, class, point => value or null]. */
export function lines(title, points, kinds, unit) {
  const end = points.length ? points[points.length - 1].at : 0;
  const span = spanOf(points);
  const values = points.flatMap(p => kinds.map(([, , of]) => of(p)).filter(v => v !== null && v !== undefined));
  const top = Math.max(...values, 0);
  const scale = top || 1;
  const x = p => 600 - ((end - p.at) / span) * 600;
  const show = unit === 'ms' ? duration : v => String(Math.round(v));
  const said = values.length ? `${title}, lately: at most ${show(top)}` : `${title}: nothing lately`;
  return h(
    'figure',
    { class: 'chart' },
    h(
      'figcaption',
      {},
      h('span', {}, title),
      h(
        'span',
        { class: 'legend' },
        kinds.map(([name, kind]) => h('span', { class: `key ${kind}` }, name)),
      ),
    ),
    h(
      'div',
      { class: 'plot' },
      s(
        'svg',
        { viewBox: '0 0 600 100', preserveAspectRatio: 'none', role: 'img', 'aria-label': said },
        s('path', { class: 'grid', d: 'M0 4H600M0 50H600M0 96H600' }),
        kinds.map(([, kind, of]) => {
          const y = p => (of(p) === null || of(p) === undefined ? null : 96 - (of(p) / scale) * 92);
          return [s('path', { class: `line ${kind}`, d: path(points, x, y) }), dots(points, x, y, kind)];
        }),
      ),
      h('span', { class: 'top', 'aria-hidden': 'true' }, values.length ? show(top) : ''),
      values.length ? null : h('span', { class: 'nothing' }, 'nothing in this period'),
    ),
    h(
      'div',
      { class: 'axis', 'aria-hidden': 'true' },
      h('span', {}, `${Math.round(span / 60000)} min ago`),
      h('span', { title: end ? exact(end) : null }, 'now'),
    ),
  );
}

export function spark(points, of, kind) {
  const values = points.map(of);
  const top = Math.max(1, ...values.filter(v => v !== null && v !== undefined));
  const end = points.length ? points[points.length - 1].at : 0;
  const x = p => 100 - ((end - p.at) / spanOf(points)) * 100;
  const y = p => (of(p) === null || of(p) === undefined ? null : 22 - (of(p) / top) * 20);
  return s(
    'svg',
    { class: 'spark', viewBox: '0 0 100 24', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    s('path', { class: `line ${kind}`, d: path(points, x, y) }),
    dots(points, x, y, kind),
  );
}
