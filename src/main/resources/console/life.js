// From the audit's rows to lives: one begins with a commit and ends with a delivery, at one target.
import { h, s } from './dom.js';
import { clock, duration, exact, now } from './time.js';

const END = new Set(['delivered', 'dead', 'no target']);

/** The latest first. */
export function lives(rows, tag) {
  const open = new Map();
  const all = [];
  for (const row of [...rows].sort((a, b) => new Date(a.timestamp) - new Date(b.timestamp))) {
    const at = new Date(row.timestamp).getTime();
    const by = tag ? row.target || '' : '';
    let life = open.get(by);
    if (!life || (tag && life.over && row.kind !== 'replay')) {
      life = { target: row.target, begin: at, events: [], over: false };
      open.set(by, life);
      all.push(life);
    }
    if (life.over && row.kind === 'replay') life.over = false;
    if (
      row.kind === 'delivery' &&
      row.latency !== null &&
      row.latency !== undefined &&
      !life.events.some(e => e.kind === 'commit')
    ) {
      const commit = at - row.latency;
      life.begin = Math.min(life.begin, commit);
      life.events.push({ at: commit, kind: 'commit', text: 'The change was committed' });
    }
    life.events.push(eventOf(row, at));
    life.over = END.has(row.outcome) || row.kind === 'no-target';
  }
  for (const life of all) {
    life.events.sort((a, b) => a.at - b.at);
    life.begin = life.events[0].at;
    life.end = life.events[life.events.length - 1].at;
  }
  return all.reverse();
}

function eventOf(row, at) {
  const why = [...new Set([row.status ? `HTTP ${row.status}` : null, row.detail].filter(Boolean))].join(', ');
  const where = row.target ? ` ${row.target}` : '';
  switch (row.kind) {
    case 'attempt':
      return { at, kind: 'bad', text: `A call to${where} failed; another followed at once`, why };
    case 'delivery':
      if (row.outcome === 'delivered') return { at, kind: 'good', text: `Delivered to${where}`, why };
      if (row.outcome === 'dead') return { at, kind: 'dead', text: `Given up for${where}`, why };
      return { at, kind: 'bad', text: `The call to${where} failed; it is tried again later`, why };
    case 'no-target':
      return { at, kind: 'dead', text: 'No target receives it: settled without a call', why };
    case 'postponed':
      return { at, kind: 'wait', text: 'Joined what already waits for a target that is down', why };
    case 'replay':
      return { at, kind: 'wait', text: `Replayed by hand for${where}`, why };
    case 'job':
      return {
        at,
        kind: row.outcome === 'completed' ? 'good' : 'dead',
        text: `Job ${row.outcome || ''}${row.latency ? ` after ${duration(row.latency)}` : ''}`,
        why: [slowest(row), why].filter(Boolean).join('; '),
      };
    case 'invalidation':
      return {
        at,
        kind: 'wait',
        text: row.pattern ? `Invalidated by pattern ${row.pattern}` : 'Invalidated',
        why: row.detail,
      };
    case 'refused':
      return { at, kind: 'bad', text: 'Request refused', why };
    case 'request':
      return { at, kind: 'wait', text: 'Requested', why };
    default:
      return { at, kind: 'wait', text: row.kind || 'Invalidation', why };
  }
}

function slowest(row) {
  const functions = (Array.isArray(row.keys) ? row.keys : [])
    .filter(f => f && f.function)
    .sort((a, b) => b.duration - a.duration);
  return functions.length ? `slowest: ${functions[0].function}, ${duration(functions[0].duration)}` : null;
}

const MARK = {
  commit: 'M0 -5L5 0L0 5L-5 0Z',
  good: 'M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z',
  bad: 'M-4 -4L4 4M4 -4L-4 4',
  dead: 'M-5 -5H5V5H-5Z',
  wait: 'M-3 0A3 3 0 1 0 3 0A3 3 0 1 0 -3 0Z',
};

export function timeLine(life, open) {
  const span = Math.max(1, life.end - life.begin);
  const last = life.events[life.events.length - 1];
  const head = [
    h('span', { class: `dot ${last.kind}` }),
    ' ',
    h('strong', {}, life.target || 'Freshet'),
    ' ',
    last.text.toLowerCase().startsWith('delivered') ? `fresh ${duration(span)} after the commit` : last.text,
    h('span', { class: 'dim', title: exact(life.begin) }, ` ${clock(life.begin)}`),
  ];
  return h(
    'details',
    { class: 'life', open: open || null, key: `${life.target}${life.begin}` },
    h('summary', {}, head),
    s(
      'svg',
      { class: 'line-of-life', role: 'img', 'aria-label': `${life.events.length} events in ${duration(span)}` },
      s('line', { class: 'grid', x1: '1%', x2: '99%', y1: 12, y2: 12 }),
      life.events.map(e =>
        s(
          'svg',
          { x: `${(1 + ((e.at - life.begin) / span) * 98).toFixed(2)}%`, y: 12, overflow: 'visible' },
          s('g', { class: e.kind }, s('path', { d: MARK[e.kind] }), s('title', {}, `${clock(e.at)} ${e.text}`)),
        ),
      ),
    ),
    h(
      'ol',
      {},
      life.events.map(e =>
        h(
          'li',
          { class: e.kind },
          h('span', { class: 'number dim' }, `+${duration(e.at - life.begin)}`),
          h('time', { datetime: new Date(e.at).toISOString(), title: exact(e.at) }, clock(e.at)),
          h('span', {}, e.text, e.why ? h('span', { class: 'dim' }, ` – ${e.why}`) : null),
        ),
      ),
    ),
  );
}
