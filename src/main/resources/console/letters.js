import { h } from './dom.js';
import { get, post } from './api.js';
import { ago } from './time.js';
import { act, count, empty, failed, fieldsOf, filters, href, loading, table, tagLink } from './parts.js';

const PAGE = 50;
const NAMES = ['target', 'tag', 'error'];
const TYPING_ENDS_AFTER = 250;

const onlyGiven = filter => Object.fromEntries(NAMES.map(name => [name, filter[name]]).filter(([, value]) => value));
const deliveries = n => `${count(n)} ${n === 1 ? 'delivery' : 'deliveries'}`;
const replayAll = (n, filtered) =>
  n === 1
    ? filtered
      ? 'Replay the 1 delivery that matches'
      : 'Replay this 1 delivery'
    : `Replay all ${deliveries(n)}${filtered ? ' that match' : ''}`;
const described = which =>
  Object.entries(which)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ') || 'no filter: everything that was given up';

export default {
  title: 'Dead letters',
  open(ctx) {
    const state = { letters: null, total: 0, error: null, asked: 0 };
    const chosen = () => onlyGiven(ctx.params);
    let typing;
    const typed = (given, ended) => {
      clearTimeout(typing);
      const apply = () => {
        const before = JSON.stringify(chosen());
        if (JSON.stringify(onlyGiven(given)) === before) return;
        ctx.refine(onlyGiven(given));
        load();
      };
      if (ended) apply();
      else typing = setTimeout(apply, TYPING_ENDS_AFTER);
    };
    // a filter that stands in the fields counts, whether the list shows it yet or not
    let asked = {};
    async function ask() {
      const form = document.querySelector('.letters .filters');
      asked = form ? onlyGiven(fieldsOf(form)) : chosen();
      const answer = await get('/api/dead-letters?' + new URLSearchParams({ ...asked, limit: 1 }));
      if (!answer.ok) {
        ctx.say(answer.error, 'bad');
        return null;
      }
      const total = answer.data.total_count;
      if (total === 0) {
        ctx.say(`No dead letter matches: ${described(asked)}.`, 'bad');
        return null;
      }
      return [`Replay ${deliveries(total)}?`, `By ${described(asked)}. Each is one call to its target.`, 'Replay'];
    }
    async function load() {
      const mine = ++state.asked;
      const query = new URLSearchParams({ ...chosen(), limit: Math.min(1000, Number(ctx.params.limit) || PAGE) });
      const answer = await get('/api/dead-letters?' + query);
      if (mine !== state.asked || answer.status === 401) return;
      state.error = answer.ok ? null : answer.error;
      if (answer.ok) {
        state.letters = answer.data.dead_letters;
        state.total = answer.data.total_count;
      }
      ctx.draw();
    }
    if (ctx.overview) load();
    const replayed = d =>
      d.replayed === 1
        ? 'One delivery is owed once more; it leaves the list when its call succeeds.'
        : `${count(d.replayed)} deliveries are owed once more; each leaves the list when its call succeeds.`;

    return {
      refresh: load,
      close() {
        clearTimeout(typing);
      },
      changed(before, after) {
        const was = before.dead_letters;
        const is = after.dead_letters;
        if (!state.letters || (is && was && (was.count !== is.count || was.newest_at !== is.newest_at))) load();
      },
      draw() {
        const which = chosen();
        const filtered = Object.keys(which).length > 0;
        const targets = ((ctx.overview && ctx.overview.targets) || []).map(t => [t.name, t.name]);
        if (which.target && !targets.some(([name]) => name === which.target))
          targets.push([which.target, which.target]);
        return [
          filters(
            [
              { name: 'target', label: 'Target', options: [['', 'all'], ...targets] },
              { name: 'tag', label: 'Tag', hint: 'course:7, or course:*', wide: true, typed },
              { name: 'error', label: 'Error', hint: 'part of its text', wide: true, typed },
            ],
            ctx.params,
            given => ctx.go('letters', given),
          ),
          state.error && !state.letters
            ? failed(state.error, load)
            : !state.letters
              ? loading()
              : !state.letters.length
                ? empty(
                    filtered ? 'No dead letter matches.' : 'Nothing was given up.',
                    filtered ? null : 'A call that a target refuses, or that fails for a day, would be listed here.',
                  )
                : [
                    h(
                      'div',
                      { class: 'title' },
                      h(
                        'p',
                        { role: 'status' },
                        h('strong', {}, count(state.total)),
                        state.total === 1 ? ' delivery was given up' : ' deliveries were given up',
                        !filtered ? '' : state.total === 1 ? ' and matches' : ' and match',
                      ),
                      act(ctx, replayAll(state.total, filtered), () => post('/api/dead-letters/replay', asked), {
                        class: 'strong',
                        ask,
                        done: replayed,
                        then: load,
                      }),
                    ),
                    table(
                      'Dead letters',
                      [
                        { name: 'Tag', of: l => tagLink(l.tag) },
                        {
                          name: 'Target',
                          of: l => h('a', { href: href('letters', { ...which, target: l.target }) }, l.target),
                        },
                        {
                          name: 'Why',
                          of: l => [
                            l.last_status ? h('span', { class: 'badge failed' }, `HTTP ${l.last_status}`) : null,
                            ' ',
                            l.last_error === `HTTP ${l.last_status}`
                              ? null
                              : h('span', { class: 'mono small' }, l.last_error || ''),
                          ],
                        },
                        { name: 'Attempts', class: 'number', of: l => count(l.attempts) },
                        { name: 'First failed', of: l => ago(l.first_failed_at) },
                        { name: 'Last failed', of: l => ago(l.last_failed_at) },
                        {
                          name: 'Do',
                          class: 'do',
                          of: l =>
                            act(ctx, 'Replay', () => post(`/api/dead-letters/${l.id}/replay`), {
                              label: `Replay ${l.tag} at ${l.target}`,
                              done: replayed,
                              then: load,
                            }),
                        },
                      ],
                      state.letters,
                      l => l.id,
                    ),
                    state.total > state.letters.length
                      ? h(
                          'p',
                          { class: 'more' },
                          h(
                            'a',
                            { href: href('letters', { ...which, limit: state.letters.length + PAGE }) },
                            `Show more of ${count(state.total)}`,
                          ),
                        )
                      : null,
                  ],
        ];
      },
    };
  },
};
