import { h } from './dom.js';
import { get, post } from './api.js';
import { ago, since } from './time.js';
import { act, badge, count, empty, failed, loading, table } from './parts.js';
import { way } from './way.js';

const EVERY = 3000;

/** Which stage of the way a file belongs to. */
function stage(file) {
  if (/targets\//.test(file)) return 'deliver';
  const name = file.replace(/^.*\//, '').replace('.yaml', '');
  return ['source', 'queue', 'deliver', 'audit'].includes(name) ? name : null;
}

/** The way of a change first, then what stands beside it, the API last. */
const ORDER = [
  /source\.yaml$/,
  /queue\.yaml$/,
  /deliver\.yaml$/,
  /targets\//,
  /audit\.yaml$/,
  /stats\.yaml$/,
  /live\.yaml$/,
  /cache\.yaml$/,
];
const isApi = file => /\/api-[^/]*$/.test(file);
const rank = file => {
  const at = ORDER.findIndex(of => of.test(file));
  return isApi(file) ? 100 : at < 0 ? 50 : at;
};

const from = uri => {
  const rest = /^rest:\/\/(\w+):(.*?)(\?|$)/.exec(uri);
  if (rest) return `${rest[1].toUpperCase()} ${decodeURIComponent(rest[2].replace(/^\/:/, '/').replace(':', '/'))}`;
  return uri.replace(/\?.*$/, '').replace('://', ':');
};

const STATE = { started: 'fresh', stopped: 'failed', off: '', stopping: 'processing', starting: 'processing' };

export default {
  title: 'Routes',
  open(ctx) {
    const folded = new Set();
    const state = { data: null, error: null, closed: false, asked: 0 };
    let timer;
    async function load() {
      clearTimeout(timer);
      const mine = ++state.asked;
      const answer = await get('/api/routes');
      if (state.closed || mine !== state.asked || answer.status === 401) return;
      state.error = answer.ok ? null : answer.error;
      if (answer.ok) state.data = answer.data;
      ctx.draw();
      timer = setTimeout(load, EVERY);
    }
    if (ctx.overview) load();

    const button = r => {
      if (r.may_not_stop)
        return h('span', { class: 'dim small', title: `Not stopped from here: ${r.may_not_stop}` }, 'needed');
      if (r.state === 'started') {
        return act(ctx, 'Stop', () => post(`/api/routes/${encodeURIComponent(r.id)}/stop`), {
          label: `Stop ${r.id}`,
          done: d => d.message,
          then: load,
          ask: [
            `Stop ${r.id}?`,
            `${r.description || 'This route'}. What is in flight ends first. What waits for the route is kept` +
              ' until it is started again. This applies to this instance only.',
            'Stop it',
          ],
        });
      }
      return act(ctx, 'Start', () => post(`/api/routes/${encodeURIComponent(r.id)}/start`), {
        label: `Start ${r.id}`,
        done: d => d.message,
        then: load,
      });
    };

    const chips = routes => name =>
      h(
        'ul',
        { class: 'chips' },
        routes
          .filter(r => stage(r.file) === name)
          .map(r =>
            h(
              'li',
              { key: r.id },
              h(
                'a',
                {
                  class: `chip ${r.state === 'started' ? 'fresh' : r.state === 'off' ? 'off' : 'stale'}`,
                  href: `#route-${r.id}`,
                  title: r.description,
                },
                r.id,
                r.per_second ? h('span', { class: 'number' }, ` ${r.per_second}/s`) : null,
              ),
            ),
          ),
      );

    function section(file, routes) {
      const wrong = routes.filter(r => r.state === 'stopped').length;
      const said = `${routes.length} ${routes.length === 1 ? 'route' : 'routes'}${wrong ? `, ${wrong} stopped` : ''}`;
      return h(
        'details',
        {
          class: 'file',
          key: file,
          open: (!isApi(file) && !folded.has(file)) || wrong > 0 || null,
          ontoggle: event => (event.target.open ? folded.delete(file) : folded.add(file)),
        },
        h('summary', {}, h('h2', { class: 'mono' }, file), h('span', { class: 'dim' }, said)),
        table(
          `Routes of ${file}`,
          [
            {
              name: 'Route',
              class: 'grow',
              of: r => [
                h('strong', { id: `route-${r.id}` }, r.id),
                h('br'),
                h('span', { class: 'dim small' }, r.description || ''),
              ],
            },
            {
              name: 'State',
              of: r => [badge(STATE[r.state] || '', r.state), r.stopped_at ? [' ', since(r.stopped_at)] : null],
            },
            { name: 'From', of: r => h('span', { class: 'mono small' }, from(r.from)) },
            {
              name: 'Per s',
              class: 'number',
              of: r => (r.per_second ? r.per_second.toFixed(1) : h('span', { class: 'dim' }, '0')),
            },
            { name: 'Total', class: 'number', of: r => count(r.total) },
            { name: 'Now', class: 'number', of: r => count(r.inflight) },
            {
              name: 'Failed',
              class: 'number',
              of: r => (r.failed ? h('strong', {}, count(r.failed)) : h('span', { class: 'dim' }, '0')),
            },
            {
              name: 'Last failure',
              of: r =>
                r.last_failure
                  ? [ago(r.last_failure.at), ' ', h('span', { class: 'small' }, r.last_failure.why)]
                  : h('span', { class: 'dim' }, '–'),
            },
            { name: 'Do', class: 'do', of: button },
          ],
          routes,
          r => r.id,
        ),
      );
    }

    return {
      refresh: load,
      changed(before, after) {
        if (before.routes && before.routes.revision !== after.routes.revision) load();
      },
      close() {
        state.closed = true;
        clearTimeout(timer);
      },
      draw() {
        if (state.error && !state.data) return failed(state.error, load);
        if (!state.data) return loading();
        const { routes, broken_files: broken } = state.data;
        const files = [...new Set(routes.map(r => r.file))].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
        const o = ctx.overview;
        return [
          broken.length
            ? h(
                'section',
                { class: 'banner attention', role: 'alert', key: 'broken' },
                h(
                  'h2',
                  {},
                  broken.length === 1
                    ? 'A route file is not in force'
                    : `${broken.length} route files are not in force`,
                ),
                h(
                  'p',
                  { class: 'dim' },
                  'Their last good versions stay in force. Fix the file, and Freshet applies it within seconds.',
                ),
                h(
                  'ul',
                  {},
                  broken.map(b =>
                    h(
                      'li',
                      { key: b.file, 'data-broken': b.file },
                      h('strong', { class: 'mono' }, b.file, b.line ? `:${b.line}` : ''),
                      ' ',
                      h('span', { class: 'dim' }, since(b.since)),
                      h('p', { class: 'mono small' }, b.why),
                    ),
                  ),
                ),
              )
            : null,
          o && o.queue
            ? h('section', { key: 'way', 'aria-label': 'The path of a change' }, way(o, chips(routes)))
            : null,
          files.map(file =>
            section(
              file,
              routes.filter(r => r.file === file),
            ),
          ),
        ];
      },
    };
  },
};
