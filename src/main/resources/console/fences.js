// Is it out? Who waits, and the answer to a token that somebody pastes: asked again until there is nothing to wait for.
import { h } from './dom.js';
import { get } from './api.js';
import { ago } from './time.js';
import { badge, count, empty, failed, fieldsOf, href, loading, table, tagLink, tokens } from './parts.js';

const PATIENCE = '10s';
const REST = 1000;

const waiting = f =>
  h(
    'section',
    { class: 'banner plain', 'aria-label': 'Tokens that wait' },
    f.waiting
      ? h(
          'p',
          {},
          h('strong', {}, tokens(f)),
          f.waiting === 1 ? ' token waits' : ' tokens wait',
          '; the oldest was asked for ',
          ago(f.oldest_at),
          '.',
        )
      : h('p', {}, 'No token waits: what was asked about is out, or was given up.'),
    h('p', { class: 'dim' }, 'SELECT cache_invalidation_fence() gives a transaction its token.'),
  );

const letters = given =>
  table(
    'What was given up',
    [
      { name: 'Tag', of: l => tagLink(l.tag) },
      { name: 'Target', of: l => h('a', { href: href('letters', { target: l.target, tag: l.tag }) }, l.target) },
      { name: 'Error', of: l => h('span', { class: 'mono' }, l.error) },
    ],
    given,
    l => l.tag + ' ' + l.target,
  );

/** What to say of an answer: how it stands, in a word and in a sentence, and what more there is to see. */
function inWords({ status, data }) {
  if (status === 404)
    return [
      'attention',
      'not known',
      'This database issued no such token, its transaction was rolled back, or it is more than a day old.',
    ];
  if (data.fresh) return ['fresh', 'out', 'Everything that this transaction changed was delivered to every target.'];
  if (data.given_up)
    return [
      'attention',
      'given up',
      'This was given up; the rest was delivered. Freshet does nothing more by itself; dead letters can be replayed.',
      letters(data.given_up),
    ];
  if (data.transaction === 'open')
    return ['processing', 'not yet', 'Its transaction has not been committed. This page keeps asking.'];
  return [
    'processing',
    'not yet',
    `${count(data.outstanding)} ${data.outstanding === 1 ? 'tag has' : 'tags have'} not reached every target yet. ` +
      'This page keeps asking.',
  ];
}

function answer(asked) {
  const [kind, word, sentence, more] = inWords(asked);
  return h('div', {}, h('p', {}, badge(kind, word), ' ', sentence), more);
}

export default {
  title: 'Is it out?',
  open(ctx) {
    const state = { asked: null, error: null, turn: 0, closed: false };
    let timer;
    async function load(wait = '0') {
      clearTimeout(timer);
      const after = ctx.params.after;
      if (!after) return;
      const mine = ++state.turn;
      const told = await get('/api/fresh?' + new URLSearchParams({ after, wait }));
      if (state.closed || mine !== state.turn || told.status === 401) return;
      state.error = told.ok || told.status === 404 ? null : told.error;
      if (!state.error) state.asked = told;
      ctx.draw();
      if (state.error) timer = setTimeout(() => load(), REST);
      else if (told.status === 202) load(PATIENCE);
    }
    if (ctx.overview) load();
    const submit = event => {
      event.preventDefault();
      ctx.go('fences', fieldsOf(event.target.closest('form')));
    };

    return {
      refresh: () => state.asked || load(),
      close() {
        state.closed = true;
        clearTimeout(timer);
      },
      draw: () => [
        ctx.overview && ctx.overview.fences ? waiting(ctx.overview.fences) : loading(),
        h(
          'form',
          { class: 'filters', role: 'search', onsubmit: submit },
          h(
            'label',
            { class: 'wide token' },
            h('span', {}, 'Token'),
            h('input', {
              name: 'after',
              value: ctx.params.after || '',
              placeholder: 'paste one here',
              autocomplete: 'off',
              spellcheck: 'false',
              type: 'search',
            }),
          ),
          h('button', { type: 'submit' }, 'Is it out?'),
        ),
        h(
          'section',
          { role: 'status', 'aria-label': 'Answer', key: 'answer' },
          state.error
            ? failed(state.error, () => load())
            : state.asked
              ? answer(state.asked)
              : ctx.params.after
                ? loading()
                : empty(
                    'Is a change on every page?',
                    'Paste the token of its transaction: the answer says whether everything that it changed was' +
                      ' delivered to every target.',
                  ),
        ),
      ],
    };
  },
};
