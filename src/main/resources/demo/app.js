// One page over the demo data: cached copies, buttons that only write to the database, and what Freshet told whom.
import { h, show } from '/admin/assets/dom.js';
import { get, key, keyRequired, post, setKey } from '/admin/assets/api.js';
import { ago, clock, duration, now } from '/admin/assets/time.js';
import { EID, Kept, REFRESH_DELAY, stats, subscribe } from '/demo/assets/broadcast.js';
import { listen } from '/demo/assets/journal.js';
import { painting, photo } from '/demo/assets/paintings.js';

const LOOK_MS = 1000;
const ROUND = 1;
const LIVE_KEY = 'freshet-live-key';
const liveKeyRequired = document.documentElement.dataset.liveKey === 'required';
const liveKey = () => sessionStorage.getItem(LIVE_KEY) || '';
const at = id => document.getElementById(id);
const money = amount =>
  amount === null || amount === undefined
    ? '–'
    : `$${Number(amount).toLocaleString('en', { maximumFractionDigits: 0 })}`;

const seen = {
  locked: '',
  easel: 4,
  link: 'connecting',
  started: false,
  told: true,
  pages: {},
  calls: [],
  job: null,
  error: '',
  mine: { live: 0, course: 0, match: 0 },
  since: null,
  announced: '',
};
const board = new Kept(`/live/event/${EID}`, draw);
const media = new Kept(`/live/event/${EID}/media`, draw);
const bids = new Map();
const lines = listen(line => {
  if (/ Connected to | again$/.test(line.text)) seen.link = 'live';
  else if (/, polling$/.test(line.text)) seen.link = 'polling';
  else if (/ The stream of |trying again/.test(line.text)) seen.link = 'lost';
  draw();
});

function bidsOf(easel) {
  if (!bids.has(easel)) bids.set(easel, new Kept(`/live/event/${EID}-${ROUND}-${easel}/bids`, draw));
  return bids.get(easel);
}

// what people do

async function act(action, body, count) {
  const answer = await post(`/demo/actions/${action}`, body);
  if (answer.status === 401) return lock('The key is not known.');
  if (!answer.ok) return say(answer.error, 'bad');
  seen.mine[count]++;
  if (count !== 'live') look();
  return draw();
}

const onPainting = action => () => act(action, { round: ROUND, easel: seen.easel }, 'live');

function choose(easel) {
  seen.easel = easel;
  draw();
  bidsOf(easel).use();
}

function say(text, kind = 'good') {
  show(
    at('said'),
    h(
      'p',
      { class: kind, key: text + now() },
      text,
      h('button', { type: 'button', class: 'quiet', 'aria-label': 'Dismiss', onclick: () => show(at('said')) }, '×'),
    ),
  );
}

// how it looks

const WORDS = { loading: 'Loading', fresh: 'Fresh', stale: 'Stale', fetching: 'Fetching' };
const badge = state => h('span', { class: `state ${state}` }, h('span', { class: 'dot' }), WORDS[state]);

function card(kept, title, what, ...content) {
  return h(
    'section',
    {
      class: `kept ${what} ${kept.state}`,
      key: what,
      'data-endpoint': kept.endpoint,
      'data-state': kept.state,
      'data-fetches': kept.fetches,
    },
    h('header', {}, h('h3', {}, title), badge(kept.state)),
    h(
      'p',
      { class: 'under' },
      h('code', {}, kept.endpoint),
      h(
        'span',
        { class: 'dim' },
        kept.state === 'stale'
          ? [`${String(kept.why).replaceAll('_', ' ')}, refetched within ${REFRESH_DELAY / 1000} s`]
          : kept.cachedAt
            ? ['cached ', ago(kept.cachedAt)]
            : 'asked for',
      ),
    ),
    kept.error && kept.data === null
      ? h('p', { class: 'bad' }, kept.error)
      : kept.data === null
        ? h('p', { class: 'dim' }, 'Loading …')
        : content,
  );
}

function chosen() {
  return board.data && board.data.art.find(one => one.easel === seen.easel);
}

function live() {
  const art = board.data ? board.data.art : [];
  const one = chosen();
  const list = bidsOf(seen.easel);
  const next = one
    ? Math.max(Number(one.highest_bid || 40), ...(list.data ? list.data.highest.map(bid => bid.amount) : [])) + 10
    : null;
  return h(
    'section',
    { key: 'live', class: 'part', 'aria-labelledby': 'live-title' },
    h(
      'div',
      { class: 'lead' },
      h('h2', { id: 'live-title' }, 'Open browser tabs'),
      h(
        'p',
        {},
        'Three answers of an auction’s API, cached by this window. ' +
          'A committed row reaches every open tab of its event; only what it touches goes stale, ' +
          'and a burst of changes is fetched once.',
      ),
    ),
    h(
      'div',
      { class: 'bar', role: 'group', 'aria-label': 'Change the auction' },
      h(
        'p',
        { class: 'subject' },
        one
          ? [
              h('b', {}, one.description),
              h('span', { class: 'dim' }, ` by ${one.artist}, easel ${one.easel} · ${one.status}`),
            ]
          : h('span', { class: 'dim' }, 'No painting yet'),
      ),
      h(
        'div',
        { class: 'do' },
        h(
          'button',
          { type: 'button', class: 'strong', id: 'vote', onclick: onPainting('vote'), disabled: !one },
          'Vote',
        ),
        h(
          'button',
          { type: 'button', class: 'strong', id: 'bid', onclick: onPainting('bid'), disabled: !one },
          next ? `Bid ${money(next)}` : 'Bid',
        ),
        h('button', { type: 'button', id: 'photo', onclick: onPainting('photo'), disabled: !one }, 'New photo'),
        h('button', { type: 'button', id: 'status', onclick: onPainting('status'), disabled: !one }, 'Next status'),
      ),
    ),
    h(
      'div',
      { class: 'hall' },
      card(
        board,
        board.data ? board.data.name : 'The event',
        'board',
        h(
          'ul',
          { class: 'easels' },
          art.map(piece =>
            h(
              'li',
              { key: `e${piece.easel}` },
              h(
                'button',
                {
                  type: 'button',
                  class: 'easel',
                  'data-easel': piece.easel,
                  'aria-pressed': piece.easel === seen.easel ? 'true' : 'false',
                  onclick: () => choose(piece.easel),
                },
                painting(ROUND, piece.easel, ''),
                h('span', { class: 'name' }, piece.description),
                h(
                  'span',
                  { class: 'worth' },
                  h(
                    'span',
                    { class: 'votes' },
                    h('b', { key: `v${piece.votes}`, class: 'bump' }, piece.votes),
                    ' votes',
                  ),
                  h('b', { key: `b${piece.highest_bid}`, class: 'bump price' }, money(piece.highest_bid)),
                ),
                piece.status === 'auction' ? null : h('span', { class: `sticker ${piece.status}` }, piece.status),
              ),
            ),
          ),
        ),
      ),
      card(
        list,
        `Bids for easel ${seen.easel}`,
        'bids',
        list.data && list.data.highest.length
          ? h(
              'ol',
              { class: 'list' },
              list.data.highest.map((bid, i) =>
                h(
                  'li',
                  { key: `bid${bid.id}`, class: i ? '' : 'first' },
                  h('b', {}, money(bid.amount)),
                  h('span', {}, bid.bidder),
                  ago(bid.placed_at),
                ),
              ),
            )
          : h('p', { class: 'dim' }, 'Nobody has bid yet.'),
        list.data && list.data.bids > 5 ? h('p', { class: 'dim small' }, `the highest 5 of ${list.data.bids}`) : null,
      ),
      card(
        media,
        'Photos',
        'media',
        h(
          'ul',
          { class: 'photos' },
          (media.data ? media.data.newest : []).map(one =>
            h(
              'li',
              { key: `m${one.id}` },
              photo(one.id, one.round, one.easel, `${one.description}: ${one.caption}`),
              h('span', {}, one.caption),
            ),
          ),
        ),
        media.data ? h('p', { class: 'dim small' }, `the newest of ${media.data.photos}`) : null,
      ),
    ),
  );
}

function page(name, title, tag, state, sides, more, note, button) {
  return h(
    'section',
    { class: `kept page ${state}`, key: name, 'data-page': name, 'data-state': state },
    h('header', {}, h('h3', {}, title), badge(state)),
    h('p', { class: 'under' }, 'tag ', h('code', {}, tag)),
    h('div', { class: 'sides' }, sides),
    more,
    note,
    h('div', { class: 'do' }, button),
  );
}

const side = (title, ...content) => h('div', { class: 'side' }, h('h4', {}, title), content);
const callsWith = tag =>
  seen.calls.filter(call => call.tags.includes(tag) && seen.since && new Date(call.at).getTime() >= seen.since);

function tally(changes, word, tag) {
  if (!changes) return null;
  const calls = callsWith(tag).length;
  return h(
    'p',
    { class: 'tally', key: 'tally' },
    h('b', {}, changes === 1 ? `1 ${word}` : `${changes} ${word}${word === 'match' ? 'es' : 's'}`),
    ' in this window, ',
    h('b', {}, calls === 1 ? '1 call' : `${calls} calls`),
    ' to the cache',
  );
}

function told(tag) {
  const last = seen.calls.filter(call => call.tags.includes(tag)).slice(0, 4);
  return h(
    'div',
    { class: 'told' },
    h('h4', {}, `Calls that named ${tag}`),
    last.length
      ? h(
          'ul',
          {},
          last.map(call => h('li', { key: call.at }, h('code', {}, 'POST …/api/revalidate'), ago(call.at))),
        )
      : h('p', { class: 'dim small' }, 'none so far'),
  );
}

function course() {
  const one = seen.pages.course;
  if (!one) return null;
  return page(
    'course',
    'A course page',
    one.tag,
    one.stale ? 'stale' : 'fresh',
    [
      side('In the database', h('p', { class: 'big', key: one.database.title }, one.database.title)),
      side(
        'What visitors get',
        h('p', { class: 'big cached', key: one.cached.title }, one.cached.title),
        h('p', { class: 'dim small' }, 'rendered ', ago(one.cached_at)),
      ),
    ],
    told(one.tag),
    h(
      'div',
      { class: 'note-line' },
      one.stale
        ? h('p', { class: 'why' }, 'Freshet lets the burst end, then makes one call, whatever the number of changes.')
        : tally(seen.mine.course, 'update', one.tag) ||
            h('p', { class: 'dim' }, 'Update it several times in a row: it stays one call.'),
    ),
    h(
      'button',
      { type: 'button', class: 'strong', id: 'course', onclick: () => act('course', {}, 'course') },
      'Update course',
    ),
  );
}

function progress(job) {
  const r = job.results || {};
  const good = r.successful_functions || 0;
  const bad = r.failed_functions || 0;
  const running = (r.running_functions || []).length;
  const all = Math.max(r.total_functions || 0, good + bad + running);
  const said = all ? `${good + bad} of ${all} statistics functions ended` : 'the statistics functions have not begun';
  return h(
    'div',
    { class: 'job-line', key: 'job' },
    h(
      'span',
      { class: 'progress', role: 'img', 'aria-label': said, title: said },
      Array.from({ length: all }, (_, i) =>
        h('span', {
          class: i < good ? 'completed' : i < good + bad ? 'failed' : i < good + bad + running ? 'processing' : '',
        }),
      ),
    ),
    h(
      'span',
      { class: 'dim small' },
      job.status === 'completed' && job.completed_at && job.started_at
        ? `${all} functions in ${duration(new Date(job.completed_at) - new Date(job.started_at))}`
        : `statistics ${job.status}`,
    ),
  );
}

function league() {
  const one = seen.pages.table;
  if (!one) return null;
  const rows = one.cached.rows || [];
  return page(
    'table',
    `League table ${one.cached.season}`,
    one.tag,
    one.stale ? 'stale' : 'fresh',
    [
      side(
        'In the database',
        h('p', { class: 'big', key: one.database.last_match + one.database.played_on }, one.database.last_match),
        h('p', { class: 'dim small' }, `last match, ${one.database.played_on}`),
      ),
      side(
        'What visitors get',
        h('p', { class: 'big cached', key: one.cached.last_match + one.cached.played_on }, one.cached.last_match),
        h('p', { class: 'dim small' }, 'rendered ', ago(one.cached_at)),
        h(
          'table',
          { class: 'league' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              ['Player', 'Played', 'Goals', 'Points'].map(name => h('th', { scope: 'col' }, name)),
            ),
          ),
          h(
            'tbody',
            {},
            rows.map(row =>
              h(
                'tr',
                { key: row.player },
                h('td', {}, row.player),
                h('td', {}, row.played),
                h('td', {}, row.goals),
                h('td', {}, h('b', {}, row.points)),
              ),
            ),
          ),
        ),
      ),
    ],
    null,
    h(
      'div',
      { class: 'note-line' },
      seen.job
        ? progress(seen.job)
        : h('p', { class: 'dim' }, 'After a match, the statistics functions run in parallel; then there is one call.'),
      one.stale ? null : tally(seen.mine.match, 'match', one.tag),
    ),
    h(
      'button',
      { type: 'button', class: 'strong', id: 'match', onclick: () => act('match', {}, 'match') },
      'Finish match',
    ),
  );
}

function pages() {
  return h(
    'section',
    { key: 'pages', class: 'part', 'aria-labelledby': 'pages-title' },
    h(
      'div',
      { class: 'lead' },
      h('h2', { id: 'pages-title' }, 'Cached pages of an app'),
      h(
        'p',
        {},
        seen.told
          ? 'Rendered once and kept until Freshet calls and names their tag, as a Next.js app or a CDN does. ' +
              'Nothing expires by itself.'
          : 'Targets are configured, so the calls go there and not to this page: its copies stay as they are.',
      ),
    ),
    seen.error ? h('p', { class: 'note' }, seen.error) : null,
    h('div', { class: 'two' }, course(), league()),
  );
}

function record() {
  const s = stats();
  return h(
    'section',
    { key: 'record', class: 'part', 'aria-labelledby': 'record-title' },
    h(
      'div',
      { class: 'lead' },
      h('h2', { id: 'record-title' }, 'What happened'),
      h('p', {}, 'The client’s console lines in debug mode, and each call that Freshet made over HTTP.'),
    ),
    h(
      'div',
      { class: 'two' },
      h(
        'section',
        { class: 'log', key: 'lines' },
        h(
          'header',
          {},
          h('h3', {}, 'Browser console'),
          h('span', { class: 'dim small' }, `${s.validEntries} valid, ${s.invalidatedEntries} invalidated`),
        ),
        h(
          'ol',
          { class: 'lines', id: 'lines', tabindex: 0, 'aria-label': 'Console lines' },
          [...lines]
            .reverse()
            .slice(0, 60)
            .map(line =>
              h(
                'li',
                { key: `l${line.n}`, class: line.text.startsWith('📡') ? 'received' : '' },
                h('time', {}, clock(line.at)),
                h('span', {}, line.text, line.details ? h('span', { class: 'details' }, ` ${line.details}`) : null),
              ),
            ),
        ),
      ),
      h(
        'section',
        { class: 'log', key: 'calls' },
        h(
          'header',
          {},
          h('h3', {}, 'Calls to the cache'),
          h('span', { class: 'dim small' }, seen.calls.length ? `the last ${Math.min(seen.calls.length, 30)}` : ''),
        ),
        seen.calls.length
          ? h(
              'ol',
              { class: 'lines', id: 'calls', tabindex: 0, 'aria-label': 'Calls' },
              seen.calls
                .slice(0, 30)
                .map(call =>
                  h(
                    'li',
                    { key: `c${call.at}${call.webhook_id}` },
                    h('time', {}, clock(new Date(call.at).getTime())),
                    h(
                      'span',
                      {},
                      h('b', {}, call.target === 'batch' ? 'POST …/cache/invalidate ' : 'POST …/revalidate '),
                      h('span', { class: 'tags-said' }, call.tags.join(', ')),
                    ),
                  ),
                ),
            )
          : h('p', { class: 'dim none' }, 'None yet. “Update course” makes one in a few seconds.'),
      ),
    ),
  );
}

const LINKS = {
  connecting: 'connecting …',
  live: 'streaming',
  polling: 'polling',
  lost: 'reconnecting …',
  locked: 'locked',
};

function draw() {
  if (!seen.started && !seen.locked) return;
  show(
    at('head'),
    h('a', { class: 'brand', href: '/demo' }, 'Freshet'),
    h('span', { class: 'dim' }, 'demo'),
    h('span', { class: `link ${seen.link}`, id: 'link', 'data-link': seen.link }, LINKS[seen.link]),
    h('span', { class: 'push' }),
    h('a', { class: 'to', href: '/demo', target: '_blank', rel: 'noopener' }, 'Second window'),
    h('a', { class: 'to', href: '/admin/info' }, 'Console'),
  );
  if (seen.locked) {
    show(at('main'), lockForm());
    return;
  }
  show(
    at('main'),
    h(
      'div',
      { class: 'intro', key: 'intro' },
      h('h1', {}, 'Stale, and fresh again'),
      h(
        'p',
        {},
        'Everything here is a cached copy. The buttons only write rows, as any application would; ' +
          'telling the caches is left to Freshet. Open a ',
        h('a', { href: '/demo', target: '_blank', rel: 'noopener' }, 'second window'),
        ' beside this one and click in either.',
      ),
    ),
    live(),
    pages(),
    record(),
  );
  const states = [board, bidsOf(seen.easel), media].map(kept => kept.state);
  const saying = states.includes('stale')
    ? 'Something is stale'
    : states.every(state => state === 'fresh')
      ? 'All is fresh'
      : seen.announced;
  if (saying !== seen.announced) {
    seen.announced = saying;
    at('announced').textContent = saying;
  }
}

// the key, where one is configured

function lock(why) {
  seen.locked = why;
  seen.link = 'locked';
  draw();
  const field = document.querySelector('input[name=key], input[name=live]');
  if (field) field.focus();
}

function lockForm() {
  const submit = event => {
    event.preventDefault();
    const { key: given, live: forLive } = event.target.closest('form').elements;
    if (given) setKey(given.value.trim());
    if (forLive) sessionStorage.setItem(LIVE_KEY, forLive.value.trim());
    location.reload();
  };
  const field = (name, label) =>
    h('label', {}, h('span', {}, label), h('input', { type: 'password', name, autocomplete: 'off', required: true }));
  return h(
    'section',
    { class: 'lock', key: 'lock' },
    h('h1', {}, 'A key is required'),
    h(
      'p',
      {},
      'The demo changes rows, so it needs INTERNAL_API_KEY. The key stays in this tab, and is gone once you close it.',
    ),
    h(
      'form',
      { onsubmit: submit },
      keyRequired ? field('key', 'Key') : null,
      liveKeyRequired ? field('live', 'FRESHET_LIVE_KEY') : null,
      h('button', { type: 'submit', class: 'strong' }, 'Open'),
    ),
    seen.locked === 'asked' ? null : h('p', { class: 'bad', role: 'alert' }, seen.locked),
  );
}

/** The app's own caches are not in this window, so it looks at them. */
async function look() {
  if (document.visibilityState === 'hidden' || seen.locked) return;
  const [pagesNow, calls, jobs] = await Promise.all(
    ['/demo/data/pages', '/demo/api/calls', '/api/admin/jobs?limit=1'].map(get),
  );
  if (pagesNow.status === 401) {
    lock('The key is not known.');
    return;
  }
  seen.error = pagesNow.ok ? '' : pagesNow.error;
  if (pagesNow.ok) Object.assign(seen, { pages: pagesNow.data.pages, told: pagesNow.data.told });
  if (calls.ok) seen.calls = calls.data.calls;
  if (jobs.ok) seen.job = jobs.data.jobs[0] || null;
  seen.since ??= Date.now();
  draw();
}

async function start() {
  seen.started = true;
  draw();
  subscribe(
    () => [board, media, ...bids.values()],
    () => [board, media, bidsOf(seen.easel)],
    liveKey(),
    draw,
  );
  // what is fetched before the stream stands could go stale unheard
  await connected();
  const [first] = await Promise.all([board.fetch(), media.fetch(), bidsOf(seen.easel).fetch()]);
  if (first.status === 401) {
    lock('The key is not known.');
    return;
  }
  const again = async () => {
    await look();
    setTimeout(again, LOOK_MS);
  };
  again();
  document.addEventListener('visibilitychange', look);
}

/** Streaming or polling; or neither, and it is shown all the same. */
function connected() {
  return new Promise(resolve => {
    const asked = setInterval(() => {
      if (seen.link === 'live' || seen.link === 'polling') done();
    }, 20);
    const late = setTimeout(() => done(), 3000);
    const done = () => {
      clearInterval(asked);
      clearTimeout(late);
      resolve();
    };
  });
}

if ((keyRequired && !key()) || (liveKeyRequired && !liveKey())) lock('asked');
else start();
