import { h, show } from './dom.js';
import { post } from './api.js';
import { ago, since, duration, now } from './time.js';
import { act, badge, count, empty, href, loading, table, tagLink, tokens } from './parts.js';
import { bar, lines, spark } from './charts.js';
import { way } from './way.js';

const SAYS = {
  fresh: 'Everything is fresh',
  attention: 'Everything that can be delivered is fresh',
  stale: 'Something is stale',
  down: 'Nobody knows: the database does not answer',
};

function banner(health) {
  return h(
    'section',
    { class: `banner ${health.verdict}`, 'aria-label': 'Verdict' },
    h(
      'div',
      { class: 'headline' },
      h('span', { class: 'dot big' }),
      h('h2', {}, SAYS[health.verdict]),
      health.since ? h('span', { class: 'dim' }, since(health.since)) : null,
    ),
    health.problems.length
      ? h(
          'ul',
          {},
          health.problems.map(p =>
            h(
              'li',
              { key: p.what, class: p.level },
              h('span', { class: 'dot' }),
              h(
                'div',
                {},
                p.view === 'overview' ? h('span', {}, p.what) : h('a', { href: href(p.view) }, p.what),
                ' ',
                p.since ? h('span', { class: 'dim' }, since(p.since)) : null,
              ),
            ),
          ),
        )
      : h('p', { class: 'dim' }, 'No target is down, nothing waits for another try, nothing was given up.'),
  );
}

function tile(name, value, note, more = {}) {
  return h(
    more.view ? 'a' : 'div',
    { class: `tile ${more.kind || ''}`, href: more.view ? href(more.view, more.params) : null, title: more.title },
    h('span', { class: 'name' }, name),
    h('span', { class: 'value' }, value),
    h('span', { class: 'note' }, note),
    more.spark || null,
  );
}

function tiles(o, series) {
  const saved = Math.round(o.coalescing.calls_saved);
  const f = o.freshness;
  const q = o.queue;
  const none = f.delivered === 0;
  const title = 'From the commit of a change to its delivery, by the calls of this instance in the last five minutes';
  return h(
    'section',
    { class: 'tiles', 'aria-label': 'Numbers' },
    tile(
      'Freshness p50',
      none ? '–' : duration(f.p50_ms),
      none ? 'nothing delivered in 5 min' : `of ${count(f.delivered)} in 5 min`,
      { title, spark: spark(series, p => p.p50_ms, 'p50') },
    ),
    tile('Freshness p99', none ? '–' : duration(f.p99_ms), 'commit to delivered', {
      title,
      spark: spark(series, p => p.p99_ms, 'p99'),
    }),
    tile(
      'Waiting tags',
      count(q.pending_tags),
      q.pending_tags ? ['oldest ', duration(q.oldest_seconds * 1000)] : 'nothing waits',
      { spark: spark(series, p => p.pending, 'pending') },
    ),
    tile('In flight', count(q.in_flight), q.retrying ? `${count(q.retrying)} to be tried again` : 'no retries', {
      kind: q.retrying ? 'stale' : '',
    }),
    tile('Waiting tokens', tokens(o.fences), o.fences.waiting ? ['oldest ', ago(o.fences.oldest_at)] : 'nobody waits', {
      view: 'fences',
      title: 'Of transactions that asked for cache_invalidation_fence() and are not out yet',
    }),
    tile(
      'Changes per call',
      `${o.coalescing.factor.toFixed(1)}×`,
      `${count(saved)} ${saved === 1 ? 'call' : 'calls'} saved`,
      { title: 'What coalescing has saved the targets, since this instance started' },
    ),
    tile(
      'Dead letters',
      count(o.dead_letters.count) + (o.dead_letters.capped ? '+' : ''),
      o.dead_letters.count ? ['last ', ago(o.dead_letters.newest_at)] : 'nothing given up',
      { view: 'letters', kind: o.dead_letters.count ? 'attention' : '' },
    ),
    tile(
      'Jobs',
      o.jobs.processing ? `${count(o.jobs.processing)} running` : count(o.jobs.queued),
      [o.jobs.processing ? `${count(o.jobs.queued)} queued` : 'queued', ` · ${count(o.jobs.failed)} failed`],
      { view: 'jobs', kind: o.jobs.failed_today ? 'attention' : '' },
    ),
  );
}

function targetState(t) {
  if (t.unserved) return [badge('stale', 'served by no instance'), ' ', since(t.served_at)];
  if (t.missing_since) return [badge('attention', 'gone from DNS'), ' ', since(t.missing_since)];
  if (t.opened_at) return [badge('stale', 'down'), ' ', since(t.opened_at)];
  if (t.retrying) return [badge('stale', 'retrying'), ' ', since(t.failing_since)];
  return badge('fresh', 'up');
}

function targets(all) {
  if (!all.length)
    return empty(
      'No target is known yet.',
      'Set VERCEL_DEPLOYMENT_URL and REVALIDATION_SECRET, or put a file into routes/targets/.',
    );
  return table(
    'Targets',
    [
      { name: 'Target', of: t => h('strong', {}, t.name) },
      { name: 'Breaker', of: targetState },
      { name: 'Owed', class: 'number', of: t => count(t.owed) },
      { name: 'Retrying', class: 'number', of: t => count(t.retrying) },
      {
        name: 'Takes',
        of: t => [
          t.takes_queue ? 'the queue' : 'stats tags only',
          t.batch > 1 ? `, ${t.batch} a call` : '',
          t.goes_after ? `, after ${t.goes_after}` : '',
        ],
      },
      {
        name: 'Last error',
        of: t => (t.last_error ? h('span', { class: 'mono' }, t.last_error) : h('span', { class: 'dim' }, '–')),
      },
    ],
    all,
    t => t.name,
  );
}

function hottest(all) {
  if (!all.length)
    return empty(
      'No tag has changed in the last hour.',
      'SELECT cache_invalidation_watch(…) makes a table queue tags.',
    );
  const top = Math.max(...all.map(t => t.changes));
  return table(
    'Hottest tags',
    [
      { name: 'Tag', of: t => tagLink(t.tag) },
      { name: 'Changes', class: 'number', of: t => [t.estimated ? '≈ ' : '', count(t.changes)] },
      { name: 'Share', class: 'share', of: t => bar((100 * t.changes) / top, 'pending', `${t.changes} changes`) },
      {
        name: 'Last fresh',
        of: t =>
          t.retrying
            ? badge('stale', 'retrying')
            : t.given_up
              ? badge('attention', 'given up')
              : t.pending
                ? badge('processing', 'pending')
                : ago(t.last_invalidated_at),
      },
    ],
    all,
    t => t.tag,
  );
}

function policies(all) {
  return table(
    'Policies of tags',
    [
      { name: 'Tags', of: p => tagLink(p.pattern) },
      {
        name: 'Window',
        of: p =>
          p.debounce
            ? [p.debounce, p.at_once ? ', the first at once' : '']
            : p.at_once
              ? 'the first at once'
              : h('span', { class: 'dim' }, 'as set'),
      },
      {
        name: 'Profile',
        of: p => (p.profile ? h('span', { class: 'mono' }, p.profile) : h('span', { class: 'dim' }, '–')),
      },
      { name: 'Priority', class: 'number', of: p => p.priority },
    ],
    all,
    p => p.pattern,
  );
}

export default {
  title: 'Overview',
  open(ctx) {
    return {
      draw() {
        const o = ctx.overview;
        if (!o) return loading();
        if (!o.queue) return banner(o.health);
        return [
          banner(o.health),
          tiles(o, ctx.series),
          h('section', { 'aria-label': 'The path of a change' }, way(o)),
          h(
            'div',
            { class: 'pair' },
            lines(
              'From commit to delivered',
              ctx.series,
              [
                ['p99', 'p99', p => p.p99_ms],
                ['p50', 'p50', p => p.p50_ms],
              ],
              'ms',
            ),
            lines('Waiting tags', ctx.series, [['tags', 'pending', p => p.pending]], ''),
          ),
          h(
            'section',
            {},
            h(
              'div',
              { class: 'title' },
              h('h2', {}, 'Targets'),
              act(ctx, 'Deliver what is ripe', () => post('/functions/v1/cache-invalidation-worker'), {
                title: 'Take a turn at the queue now',
                done: d => d.message || `${d.processed} tags processed: ${d.successful} delivered, ${d.failed} failed`,
              }),
            ),
            targets(o.targets),
          ),
          h(
            'section',
            {},
            h('div', { class: 'title' }, h('h2', {}, 'Hottest tags'), h('span', { class: 'dim' }, 'in the last hour')),
            hottest(o.hottest),
          ),
          o.policies && o.policies.length
            ? h(
                'section',
                {},
                h(
                  'div',
                  { class: 'title' },
                  h('h2', {}, 'Policies of tags'),
                  h('span', { class: 'dim' }, 'the first one that matches a tag applies'),
                ),
                policies(o.policies),
              )
            : null,
        ];
      },
    };
  },
};
