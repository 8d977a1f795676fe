import { h } from './dom.js';
import { get } from './api.js';
import { ago } from './time.js';
import { badge, count, empty, failed, filters, href, loading, table, tagLink } from './parts.js';

const KIND = { tag: 'exactly this tag', glob: 'a pattern: * is any run of characters', regex: 'a regular expression' };

/** As section 5 of docs/contract.md tells a pattern: for names that this page knows and the server does not. */
function takes(asked, kind) {
  if (kind === 'regex') {
    try {
      const regex = new RegExp(asked);
      return name => regex.test(name);
    } catch {
      return () => false;
    }
  }
  const parts = kind === 'glob' ? asked.split('*') : [asked];
  return name => {
    if (parts.length === 1) return name === asked;
    if (!name.startsWith(parts[0]) || !name.slice(parts[0].length).endsWith(parts[parts.length - 1])) return false;
    let at = parts[0].length;
    for (const part of parts.slice(1, -1)) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= name.length - parts[parts.length - 1].length;
  };
}

export default {
  title: 'Dry run',
  open(ctx) {
    const state = { data: null, viewers: null, error: null, asked: 0 };
    async function load() {
      const { tag, pattern } = ctx.params;
      if (!tag && !pattern) {
        state.data = null;
        state.error = null;
        ctx.draw();
        return;
      }
      const mine = ++state.asked;
      const [answer, live] = await Promise.all([
        get('/api/console/dry-run?' + new URLSearchParams(tag ? { tag } : { pattern })),
        get('/live/stats'),
      ]);
      if (mine !== state.asked || answer.status === 401) return;
      state.error = answer.ok ? null : answer.error;
      state.data = answer.ok ? answer.data : null;
      state.viewers = live.ok ? live.data.events || {} : null;
      ctx.draw();
    }
    if (ctx.overview) load();

    function result(d) {
      const hit = takes(d.asked, d.kind);
      const watched =
        state.viewers &&
        Object.entries(state.viewers).filter(([eid]) => hit(eid) || hit(`event:${eid}`) || hit(`/live/event/${eid}`));
      const calls = d.targets.reduce((sum, t) => sum + t.calls, 0);
      return [
        h(
          'section',
          { class: 'banner plain' },
          h('p', {}, h('span', { class: 'tag' }, d.asked), ' is ', KIND[d.kind], '.'),
          h(
            'p',
            { class: 'sum' },
            h('strong', {}, `${count(d.tags.length)}${d.tags_capped ? '+' : ''}`),
            d.tags.length === 1 ? ' known tag, ' : ' known tags, ',
            h('strong', {}, count(d.entries.count)),
            d.entries.count === 1 ? ' registry entry, ' : ' registry entries, ',
            h('strong', {}, `${count(calls)}${d.tags_capped ? '+' : ''}`),
            calls === 1 ? ' call.' : ' calls.',
          ),
          h('p', { class: 'dim' }, 'Nothing was invalidated.'),
        ),
        h(
          'section',
          {},
          h('h2', {}, 'Watches that queue such tags'),
          d.watches.length
            ? table(
                'Watches',
                [
                  { name: 'Table', of: w => h('strong', { class: 'mono' }, w.table) },
                  { name: 'Template', of: w => h('span', { class: 'mono' }, w.template) },
                  {
                    name: 'Due by the clock',
                    of: w =>
                      w.due.length ? h('span', { class: 'mono' }, w.due.join(', ')) : h('span', { class: 'dim' }, '–'),
                  },
                  { name: 'Problem', of: w => w.problem || h('span', { class: 'dim' }, '–') },
                ],
                d.watches,
                w => w.table + w.template,
              )
            : empty('No watched table queues such a tag.'),
        ),
        d.policies.length
          ? h(
              'section',
              {},
              h('h2', {}, 'Policies that apply to them'),
              table(
                'Policies',
                [
                  { name: 'Tag', of: p => tagLink(p.tag) },
                  { name: 'Policy', of: p => h('span', { class: 'mono' }, p.pattern) },
                  {
                    name: 'Window',
                    of: p =>
                      p.debounce
                        ? [p.debounce, p.at_once ? ', the first at once' : '']
                        : p.at_once
                          ? 'the first at once'
                          : h('span', { class: 'dim' }, 'as set'),
                  },
                  { name: 'Profile', of: p => p.profile || h('span', { class: 'dim' }, '–') },
                  { name: 'Priority', class: 'number', of: p => p.priority },
                ],
                d.policies,
                p => p.tag,
              ),
            )
          : null,
        h(
          'section',
          {},
          h('h2', {}, 'On their way now'),
          d.waiting.length
            ? table(
                'Waiting',
                [
                  { name: 'Tag', of: w => tagLink(w.tag) },
                  {
                    name: 'State',
                    of: w =>
                      badge(
                        w.state === 'given up' ? 'failed' : w.state.startsWith('waits') ? 'attention' : 'processing',
                        w.state,
                      ),
                  },
                  { name: 'Target', of: w => w.target || '–' },
                  { name: 'Since', of: w => ago(w.since) },
                ],
                d.waiting,
                w => w.tag + w.state + w.target,
              )
            : empty('None of them is on its way.'),
        ),
        h(
          'section',
          {},
          h('h2', {}, 'Processed recently'),
          d.recent.length
            ? h(
                'ul',
                { class: 'tags' },
                d.recent.map(w =>
                  h(
                    'li',
                    { key: w.tag },
                    tagLink(w.tag),
                    h('span', { class: 'dim' }, ` ${count(w.changes)}×, `, ago(w.last_invalidated_at)),
                  ),
                ),
                d.recent_capped ? h('li', { class: 'dim' }, 'and more') : null,
              )
            : empty('None in the last hour.'),
        ),
        h(
          'section',
          {},
          h('h2', {}, 'Entries of the cache registry'),
          d.entries.entries.length
            ? table(
                'Entries',
                [
                  { name: 'Key', of: e => h('span', { class: 'mono' }, e.key) },
                  { name: 'Tags', of: e => e.tags.map(t => [tagLink(t), ' ']) },
                ],
                d.entries.entries,
                e => e.key,
              )
            : empty('No entry has such a key or tag.'),
        ),
        h(
          'section',
          {},
          h('h2', {}, 'Targets that would be called'),
          d.targets.length
            ? table(
                'Targets',
                [
                  { name: 'Target', of: t => h('strong', {}, t.name) },
                  { name: 'State', of: t => (t.open ? badge('stale', 'down') : badge('fresh', 'up')) },
                  { name: 'Calls', class: 'number', of: t => count(t.calls) + (d.tags_capped ? '+' : '') },
                  { name: 'Tags a call', class: 'number', of: t => count(t.batch) },
                ],
                d.targets,
                t => t.name,
              )
            : empty('No target receives the queue’s tags.'),
        ),
        watched
          ? h(
              'section',
              {},
              h('h2', {}, 'Viewers of live events'),
              watched.length
                ? table(
                    'Viewers',
                    [
                      {
                        name: 'Event',
                        of: ([name]) => h('a', { class: 'tag', href: href('live', { eid: name }) }, name),
                      },
                      { name: 'Viewers', class: 'number', of: ([, n]) => count(n) },
                    ],
                    watched,
                    ([name]) => name,
                  )
                : empty('No open browser watches such an event.'),
            )
          : null,
      ];
    }

    return {
      refresh: load,
      draw: () => [
        filters(
          [{ name: 'pattern', label: 'Tag or pattern', hint: 'course:7, course:*, ^course:[0-9]+$', wide: true }],
          ctx.params,
          given => ctx.go('dry-run', given),
        ),
        state.error
          ? failed(state.error)
          : state.data
            ? result(state.data)
            : ctx.params.tag || ctx.params.pattern
              ? loading()
              : empty(
                  'What would an invalidation hit?',
                  'Name a tag or a pattern. Watches, pending tags, registry entries, targets and viewers are' +
                    ' looked up; nothing is invalidated.',
                ),
      ],
    };
  },
};
