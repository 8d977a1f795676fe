import { h } from './dom.js';
import { get } from './api.js';
import { ago, clock, duration, exact } from './time.js';
import { badge, count, empty, failed, filters, href, loading, table, tagLink } from './parts.js';
import { lives, timeLine } from './life.js';

const PAGE = 50;
const KINDS = [
  'all',
  'delivery',
  'attempt',
  'invalidation',
  'request',
  'replay',
  'job',
  'target',
  'refused',
  'no-target',
  'postponed',
  'replica',
];
const FAILURES = 'failed';
const GOOD = { delivered: 'fresh', completed: 'fresh', retry: 'attention', dead: 'failed', failed: 'failed' };

const isFailure = row =>
  ['retry', 'dead', 'failed'].includes(row.outcome) || row.kind === 'attempt' || row.kind === 'refused';

const things = row =>
  row.kind === 'job'
    ? [`job ${row.request_id}`]
    : (Array.isArray(row.keys) ? row.keys : []).map(key => `${row.target} ${key}`);

/** One for each thing that failed, by its last failure: how often since when, and whether it was made good later. */
function failures(rows) {
  const good = new Map();
  const found = new Map();
  for (const row of rows) {
    // the newest first
    const at = new Date(row.timestamp).getTime();
    const of = things(row);
    if (row.outcome === 'delivered' || row.outcome === 'completed') of.forEach(thing => good.set(thing, at));
    else if (isFailure(row)) {
      const mended =
        of.length > 0 && of.every(thing => good.has(thing)) ? Math.max(...of.map(thing => good.get(thing))) - at : null;
      const name = of.length ? of.join('\n') + (mended === null ? '' : at + mended) : `row ${row.id}`;
      const before = found.get(name);
      if (before) Object.assign(before, { times: before.times + 1, first: row.timestamp });
      else found.set(name, { ...row, times: 1, first: row.timestamp, mended });
    }
  }
  return [...found.values()];
}

function keys(row) {
  const all = Array.isArray(row.keys) ? row.keys : [];
  const names = all.map(k => (typeof k === 'string' ? k : (k && k.function) || JSON.stringify(k)));
  const shown = names.slice(0, 4);
  return [
    row.kind === 'job'
      ? shown.map(k => [h('span', { class: 'mono small' }, k), ' '])
      : shown.map(k => [tagLink(k), ' ']),
    names.length > 4 ? h('span', { class: 'dim' }, `and ${names.length - 4} more`) : null,
  ];
}

export default {
  title: 'Audit',
  open(ctx) {
    const state = { rows: null, total: 0, capped: false, more: false, next: null, error: null, asked: 0 };
    async function load(after) {
      const mine = ++state.asked;
      const { tag, request_id, pattern, kind, limit, outcome } = ctx.params;
      const usual = outcome === FAILURES ? 1000 : tag || request_id ? 200 : PAGE;
      const query = new URLSearchParams({
        kind: KINDS.includes(kind) ? kind : 'all',
        limit: Math.min(1000, Number(limit) || usual),
      });
      const further = typeof after === 'string' ? { cursor: after } : null;
      const given = { tag, request_id, pattern, ...further };
      for (const [name, value] of Object.entries(given)) if (value) query.set(name, value);
      const answer = await get('/audit/logs?' + query);
      if (mine !== state.asked || answer.status === 401) return;
      state.error = answer.ok ? null : answer.error;
      if (answer.ok)
        Object.assign(state, {
          rows: further ? [...state.rows, ...answer.data.logs] : answer.data.logs,
          total: further ? state.total + answer.data.total_count : answer.data.total_count,
          capped: answer.data.total_is_capped,
          more: answer.data.has_more,
          // a search that considered only the newest rows; it goes on from there
          next: answer.data.logs.length < Number(query.get('limit')) ? answer.data.next_cursor : null,
        });
      ctx.draw();
    }
    if (ctx.overview) load();

    return {
      refresh: load,
      draw() {
        const { tag, request_id } = ctx.params;
        const failing = ctx.params.outcome === FAILURES;
        const all = state.rows || [];
        const rows = failing ? failures(all) : all;
        const told = !failing && (tag || request_id) ? lives(rows, tag) : [];
        return [
          filters(
            [
              { name: 'tag', label: 'Tag or key', wide: true, hint: 'exact, not a part of it' },
              { name: 'request_id', label: 'Request id', wide: true },
              { name: 'pattern', label: 'Pattern' },
              { name: 'kind', label: 'Kind', options: KINDS.map(k => [k === 'all' ? '' : k, k]) },
              {
                name: 'outcome',
                label: 'Outcome',
                options: [
                  ['', 'all'],
                  [FAILURES, 'what failed'],
                ],
              },
            ],
            ctx.params,
            given => ctx.go('audit', given),
          ),
          state.error && !state.rows
            ? failed(state.error, load)
            : !state.rows
              ? loading()
              : !rows.length
                ? empty(
                    failing
                      ? 'Nothing has failed, as far back as this search goes.'
                      : Object.keys(ctx.params).length
                        ? state.next
                          ? 'Nothing matches among the newest rows.'
                          : 'Nothing in the audit matches.'
                        : 'The audit is empty: nothing has happened yet.',
                    'Each request, delivery, failure, replay and job leaves a row.',
                  )
                : [
                    told.length
                      ? h(
                          'section',
                          {},
                          h(
                            'div',
                            { class: 'title' },
                            h(
                              'h2',
                              {},
                              tag
                                ? ['The life of ', h('span', { class: 'tag' }, tag)]
                                : ['What request ', h('span', { class: 'tag' }, request_id), ' did'],
                            ),
                            h('button', { type: 'button', onclick: load }, 'Look again'),
                          ),
                          told.slice(0, 10).map((life, i) => timeLine(life, i === 0)),
                        )
                      : null,
                    h(
                      'section',
                      {},
                      h(
                        'div',
                        { class: 'title' },
                        h('h2', {}, failing ? 'What failed' : 'Rows'),
                        h(
                          'span',
                          { class: 'dim' },
                          failing
                            ? `${rows.length === 1 ? 'one thing' : `${count(rows.length)} things`} failed,` +
                                ` in the last ${count(all.length)} rows`
                            : `${count(state.total)}${state.capped ? '+' : ''}, newest first`,
                        ),
                        told.length ? null : h('button', { type: 'button', onclick: load }, 'Look again'),
                      ),
                      table(
                        'Audit',
                        [
                          { name: 'When', of: r => ago(r.timestamp) },
                          {
                            name: 'Kind',
                            of: r =>
                              h(
                                'a',
                                { href: href('audit', { ...ctx.params, kind: r.kind || '' }) },
                                r.kind || 'invalidation',
                              ),
                          },
                          {
                            name: 'Outcome',
                            of: r => [
                              r.outcome ? badge(GOOD[r.outcome] || '', r.outcome) : null,
                              r.status ? ` HTTP ${r.status}` : null,
                            ],
                          },
                          ...(failing
                            ? [
                                {
                                  name: 'Since then',
                                  of: r =>
                                    r.mended !== null
                                      ? [
                                          badge('fresh', 'mended'),
                                          h('span', { class: 'small' }, ` ${duration(r.mended)} later`),
                                        ]
                                      : r.kind === 'refused'
                                        ? h('span', { class: 'dim' }, '–')
                                        : badge('stale', 'not yet'),
                                },
                                {
                                  name: 'Times',
                                  class: 'number',
                                  of: r =>
                                    r.times > 1
                                      ? [
                                          `${count(r.times)}×`,
                                          h('span', { class: 'dim small' }, ' first ', ago(r.first)),
                                        ]
                                      : '1×',
                                },
                              ]
                            : []),
                          { name: 'Target', of: r => r.target || h('span', { class: 'dim' }, '–') },
                          {
                            name: 'Tags or keys',
                            of: r => [r.pattern ? h('span', { class: 'mono' }, r.pattern, ' ') : null, keys(r)],
                          },
                          ...(failing
                            ? []
                            : [
                                {
                                  name: 'Took',
                                  class: 'number',
                                  of: r => (r.latency === null || r.latency === undefined ? '' : duration(r.latency)),
                                },
                                { name: 'By', of: r => r.triggered_by || '' },
                              ]),
                          {
                            name: 'Detail',
                            of: r => [
                              r.request_id
                                ? h(
                                    'a',
                                    {
                                      class: 'mono small',
                                      href: href('audit', { request_id: r.request_id }),
                                      title: r.request_id,
                                    },
                                    String(r.request_id).slice(0, 18),
                                  )
                                : null,
                              ' ',
                              h('span', { class: 'small' }, r.detail || ''),
                            ],
                          },
                        ],
                        rows,
                        r => String(r.id),
                      ),
                      state.more && !state.next
                        ? h(
                            'p',
                            { class: 'more' },
                            h(
                              'a',
                              { href: href('audit', { ...ctx.params, limit: rows.length + PAGE * 2 }) },
                              'Show more',
                            ),
                          )
                        : null,
                    ),
                  ],
          state.next
            ? h(
                'p',
                { class: 'more' },
                h('button', { type: 'button', onclick: () => load(state.next) }, 'Search further back'),
              )
            : null,
        ];
      },
    };
  },
};
