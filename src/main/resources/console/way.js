// The way of a change, drawn: source, queue, deliver, audit, with what is in each now.
import { h } from './dom.js';
import { count, href } from './parts.js';

const STAGES = [
  ['source', 'Source', 'watched tables append tags'],
  ['queue', 'Queue', 'one row per tag and bucket'],
  ['deliver', 'Deliver', 'one call per tag and target'],
  ['audit', 'Audit', 'outcome, mark, history'],
];

export function way(o, chips) {
  const owed = o.targets.reduce((sum, t) => sum + t.owed, 0);
  const down = o.targets.filter(t => t.opened_at || t.unserved).length;
  const now = {
    source: [
      `${count(o.watches)} ${o.watches === 1 ? 'watch' : 'watches'}`,
      o.watch_problems.length ? 'attention' : '',
    ],
    queue: [`${count(o.queue.pending_tags)} waiting`, o.queue.pending_tags ? 'busy' : ''],
    deliver: [
      `${count(owed)} owed, ${count(o.queue.in_flight)} in flight`,
      down || o.queue.retrying ? 'stale' : o.queue.in_flight ? 'busy' : '',
    ],
    audit: [`${count(o.dead_letters.count)} given up`, o.dead_letters.count ? 'attention' : ''],
  };
  return h(
    'ol',
    { class: 'way' },
    STAGES.map(([stage, name, what]) =>
      h(
        'li',
        { class: `stage ${now[stage][1]}`, key: stage },
        h('span', { class: 'name' }, name),
        h('span', { class: 'what dim' }, what),
        h('strong', {}, now[stage][0]),
        stage === 'deliver' && !chips
          ? h(
              'span',
              { class: 'chips' },
              o.targets.map(t =>
                h('span', { class: `chip ${t.opened_at || t.unserved || t.retrying ? 'stale' : 'fresh'}` }, t.name),
              ),
            )
          : null,
        stage === 'audit' && !chips
          ? h(
              'span',
              { class: 'chips' },
              h('a', { href: href('letters') }, 'dead letters'),
              h('a', { href: href('audit', { outcome: 'failed' }) }, 'what failed'),
            )
          : null,
        chips ? chips(stage) : null,
      ),
    ),
  );
}
