import { h } from './dom.js';
import { get } from './api.js';
import { ago } from './time.js';
import { badge, count, empty, failed, filters, href, loading, table } from './parts.js';

const SHOWN = 100;

export default {
  title: 'Live events',
  open(ctx) {
    const state = { stats: null, events: [], next: 0, error: null, closed: false };
    let timer;
    async function load() {
      const stats = await get('/live/stats');
      if (state.closed) return;
      state.error = stats.ok ? null : stats.error;
      if (stats.ok) state.stats = stats.data;
      const eid = ctx.params.eid;
      if (stats.ok && eid) {
        for (let more = true, turns = 0; more && turns < 20; turns++) {
          const history = await get(`/live/${encodeURIComponent(eid)}/history?after=${state.next}&limit=1000`);
          if (state.closed) return;
          if (!history.ok) {
            state.error = history.error;
            break;
          }
          more = history.data.events.length === 1000;
          state.events = [...history.data.events.reverse(), ...state.events].slice(0, SHOWN);
          state.next = history.data.next || state.next;
        }
      }
      ctx.draw();
      if (!state.closed && state.stats) timer = setTimeout(load, 2000);
    }
    if (ctx.overview) load();
    const when = e => (e.payload && e.payload.timestamp ? e.payload.timestamp * 1000 : null);

    return {
      refresh() {
        if (!state.stats) load();
      },
      close() {
        state.closed = true;
        clearTimeout(timer);
      },
      draw() {
        const eid = ctx.params.eid;
        if (state.error && !state.stats) return failed(state.error, load);
        if (!state.stats) return loading();
        const events = Object.entries(state.stats.events || {}).sort((a, b) => b[1] - a[1]);
        return [
          filters([{ name: 'eid', label: 'Event', hint: 'such as AB3028', wide: true }], ctx.params, given =>
            ctx.go('live', given),
          ),
          eid
            ? h(
                'section',
                {},
                h(
                  'div',
                  { class: 'title' },
                  h('h2', {}, 'Sent to ', h('span', { class: 'tag' }, eid)),
                  h(
                    'span',
                    { class: 'dim' },
                    (n => `${count(n)} ${n === 1 ? 'viewer' : 'viewers'} now, on this instance`)(
                      (state.stats.events && state.stats.events[eid]) || 0,
                    ),
                  ),
                ),
                state.error
                  ? failed(state.error, load)
                  : state.events.length
                    ? table(
                        'Events',
                        [
                          { name: 'When', of: e => ago(when(e)) },
                          { name: 'Type', of: e => badge('', e.type) },
                          {
                            name: 'Endpoints',
                            of: e =>
                              ((e.payload && e.payload.endpoints) || []).map(x => [
                                h('span', { class: 'mono small' }, x),
                                ' ',
                              ]),
                          },
                          { name: 'Payload', of: e => h('span', { class: 'mono small' }, JSON.stringify(e.payload)) },
                          { name: 'Id', class: 'number', of: e => e.id },
                        ],
                        state.events,
                        e => String(e.id),
                      )
                    : empty('Nothing was sent to this event in the last 24 hours.'),
              )
            : null,
          h(
            'section',
            {},
            h(
              'div',
              { class: 'title' },
              h('h2', {}, 'Viewers'),
              h('span', { class: 'dim' }, `${count(state.stats.subscribers)} connected to this instance`),
            ),
            events.length
              ? table(
                  'Viewers by event',
                  [
                    {
                      name: 'Event',
                      of: ([name]) => h('a', { class: 'tag', href: href('live', { eid: name }) }, name),
                    },
                    { name: 'Viewers', class: 'number', of: ([, n]) => count(n) },
                  ],
                  events,
                  ([name]) => name,
                )
              : empty('Nobody is watching an event now.', 'GET /live/{eid}/stream is what browsers read.'),
          ),
        ];
      },
    };
  },
};
