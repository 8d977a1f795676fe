// The shell: which view, how we are connected, who we are, and what is said.
import { h, show } from './dom.js';
import { keyRequired, key, setKey, stream } from './api.js';
import { since, now } from './time.js';
import { href } from './parts.js';
import overview from './overview.js';
import jobs from './jobs.js';
import letters from './letters.js';
import audit from './audit.js';
import live from './live.js';
import routes from './routes.js';
import dryRun from './dry-run.js';
import fences from './fences.js';

const VIEWS = { overview, jobs, letters, audit, live, routes, 'dry-run': dryRun, fences };
const NAMES = Object.keys(VIEWS);
const WORDS = { fresh: 'Fresh', attention: 'Fresh, with remarks', stale: 'Stale', down: 'Down' };
const SHORTCUTS = 'freshet-shortcuts';
const at = id => document.getElementById(id);

const seen = { overview: null, series: [], link: 'connecting', mayChange: true, locked: '' };
let view = null;
let viewName = '';
let connection = null;
let announced = '';
let lostAt = 0;

const ctx = {
  get overview() {
    return seen.overview;
  },
  get series() {
    return seen.series;
  },
  get mayChange() {
    return seen.mayChange;
  },
  get params() {
    return params();
  },
  go: (name, given) => {
    history.pushState(null, '', href(name, given));
    navigate(true);
  },
  /** Other parameters of the view that is open: nothing begins anew, so that whoever is typing goes on typing. */
  refine: given => {
    history.replaceState(null, '', href(viewName, given));
    draw();
  },
  say,
  mayNotChange() {
    seen.mayChange = false;
    draw();
  },
  draw: () => draw(),
};

function params() {
  const all = Object.fromEntries(new URLSearchParams(location.search));
  delete all.view;
  return all;
}

function navigate(focus) {
  const name = new URLSearchParams(location.search).get('view') || 'overview';
  const wanted = NAMES.includes(name) ? name : 'overview';
  if (view && view.close) view.close();
  if (wanted !== viewName) at('main').replaceChildren();
  viewName = wanted;
  view = VIEWS[wanted].open(ctx);
  draw();
  if (focus) {
    at('main').focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

function draw() {
  drawHead();
  if (seen.locked) {
    show(at('main'), lock());
    return;
  }
  show(
    at('main'),
    h('h1', { class: viewName === 'overview' ? 'unseen' : null }, VIEWS[viewName].title),
    seen.mayChange
      ? null
      : h(
          'p',
          { class: 'note', key: 'read-only' },
          'This key is read-only: you can look at everything, but change nothing. Changes need INTERNAL_API_KEY.',
        ),
    h('div', { key: viewName, class: `view ${viewName}` }, view.draw()),
  );
}

function drawHead() {
  const health = seen.overview && seen.overview.health;
  const level = seen.link === 'lost' ? 'unknown' : health ? health.verdict : 'unknown';
  show(
    at('head'),
    h('a', { class: 'brand', href: href('overview') }, 'Freshet'),
    h(
      'a',
      { class: `verdict ${level}`, href: href('overview'), 'data-verdict': level },
      h('span', { class: 'dot' }),
      h('span', {}, level === 'unknown' ? 'Not known' : WORDS[level]),
      health && level !== 'unknown' && health.since ? h('span', { class: 'dim small' }, since(health.since)) : null,
    ),
    h(
      'span',
      { class: `link ${seen.link}` },
      { live: 'live', connecting: 'connecting …', lost: 'disconnected – retrying', locked: 'locked' }[seen.link],
    ),
    h('span', { class: 'push' }),
    keyRequired && key()
      ? h('button', { type: 'button', class: 'quiet', onclick: forget }, seen.mayChange ? 'Forget key' : 'Other key')
      : null,
    h(
      'button',
      { type: 'button', class: 'quiet', onclick: help, 'aria-haspopup': 'dialog', 'aria-label': 'Shortcuts' },
      h('span', { class: 'wordy' }, 'Shortcuts'),
      h('kbd', {}, '?'),
    ),
  );
  show(
    at('nav'),
    h(
      'ul',
      {},
      NAMES.map((name, i) =>
        h(
          'li',
          {},
          h(
            'a',
            { href: href(name), 'aria-current': name === viewName && !seen.locked ? 'page' : null, 'data-view': name },
            VIEWS[name].title,
            bubble(name),
          ),
        ),
      ),
    ),
  );
  const o = seen.overview;
  show(
    at('foot'),
    o
      ? [
          h('span', {}, `Freshet ${o.version}`),
          h('span', {}, `answers from ${o.instance}`),
          h('span', {}, 'up ', since(o.started_at)),
          o.instances ? h('span', {}, o.instances === 1 ? 'one instance' : `${o.instances} instances`) : null,
        ]
      : [],
  );
  const titles = level === 'unknown' ? [] : [WORDS[level]];
  if (viewName !== 'overview') titles.push(VIEWS[viewName].title);
  document.title = [...titles, 'Freshet'].join(' · ');
  const icon = document.querySelector('link[rel=icon]');
  const color = { fresh: 'fresh', attention: 'attention', unknown: 'attention' }[level] || 'stale';
  const wantedIcon = `/admin/assets/icon-${color}.svg`;
  if (icon.getAttribute('href') !== wantedIcon) icon.setAttribute('href', wantedIcon);
  const saying = seen.link === 'lost' ? 'Disconnected, retrying' : health ? `${WORDS[level]}: ${health.says}` : '';
  if (saying !== announced) {
    announced = saying;
    at('announced').textContent = saying;
  }
}

function bubble(name) {
  const o = seen.overview;
  if (!o || !o.jobs) return null;
  const number = {
    jobs: o.jobs.processing + o.jobs.queued,
    letters: o.dead_letters.count,
    routes: o.routes.broken + o.routes.stopped,
  }[name];
  const what = { jobs: 'open', letters: 'given up', routes: 'not in force or stopped' }[name];
  return number
    ? h('span', { class: `bubble ${name}`, title: `${number} ${what}` }, number > 999 ? '999+' : number)
    : null;
}

function lock() {
  const submit = event => {
    event.preventDefault();
    const given = event.target.closest('form').elements.key.value.trim();
    if (!given) return;
    setKey(given);
    connect();
  };
  return h(
    'section',
    { class: 'lock', key: 'lock' },
    h('h1', {}, 'A key is required'),
    h(
      'p',
      {},
      'INTERNAL_API_KEY allows everything, FRESHET_READ_KEY allows reading.' +
        ' The key stays in this tab, and is gone once you close the tab.',
    ),
    h(
      'form',
      { onsubmit: submit },
      h(
        'label',
        {},
        h('span', {}, 'Key'),
        h('input', { type: 'password', name: 'key', autocomplete: 'off', required: true }),
      ),
      h('button', { type: 'submit', class: 'strong' }, 'Open'),
    ),
    seen.locked === 'asked' ? null : h('p', { class: 'bad', role: 'alert' }, seen.locked),
  );
}

function askForKey() {
  const field = document.querySelector('input[name=key]');
  if (field) {
    field.value = '';
    field.focus();
  }
}

function forget() {
  setKey('');
  seen.locked = 'asked';
  seen.link = 'locked';
  seen.mayChange = true;
  seen.overview = null;
  if (connection) connection.close();
  draw();
  askForKey();
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
  clearTimeout(say.timer);
  if (kind === 'good') say.timer = setTimeout(() => show(at('said')), 12000);
}

function connect() {
  if (connection) connection.close();
  seen.locked = '';
  seen.link = 'connecting';
  draw();
  connection = stream(
    (event, data) => {
      if (event === 'you') {
        seen.mayChange = data.may_change;
        if (view.refresh) view.refresh();
      } else if (event === 'series') {
        seen.series = data.points;
      } else if (event === 'overview') {
        const before = seen.overview;
        seen.overview = data;
        if (view.changed) view.changed(before || {}, data);
      }
      draw();
    },
    (state, status) => {
      if (state === 'locked')
        seen.locked = status === 403 ? 'This key may not read the console.' : 'The key is not known.';
      if (state === 'lost' && seen.link !== 'lost') lostAt = now();
      seen.link = state;
      draw();
      if (state === 'locked') askForKey();
    },
  );
}

function help() {
  if (document.querySelector('dialog')) return;
  const off = localStorage.getItem(SHORTCUTS) === 'off';
  const before = document.activeElement;
  const end = () => {
    dialog.close();
    dialog.remove();
    if (before && before.isConnected) before.focus();
  };
  const rows = [
    ...NAMES.map((name, i) => [String(i + 1), VIEWS[name].title]),
    ['/', 'Search in this view'],
    ['?', 'This list'],
    ['Esc', 'Close'],
  ];
  const dialog = h(
    'dialog',
    {
      'aria-labelledby': 'shortcuts',
      oncancel: event => {
        event.preventDefault();
        end();
      },
    },
    h('h2', { id: 'shortcuts' }, 'Shortcuts'),
    h(
      'dl',
      { class: 'shortcuts' },
      rows.map(([k, what]) => [h('dt', {}, h('kbd', {}, k)), h('dd', {}, what)]),
    ),
    h(
      'label',
      { class: 'check' },
      h('input', {
        type: 'checkbox',
        checked: !off,
        onchange: event => localStorage.setItem(SHORTCUTS, event.target.checked ? 'on' : 'off'),
      }),
      h('span', {}, 'Single-key shortcuts'),
    ),
    h('div', { class: 'buttons' }, h('button', { type: 'button', class: 'strong', onclick: end }, 'Close')),
  );
  document.body.append(dialog);
  dialog.showModal();
}

document.addEventListener('click', event => {
  const link = event.target.closest && event.target.closest('a[href^="/admin/info"]');
  if (
    !link ||
    event.defaultPrevented ||
    event.button !== 0 ||
    event.ctrlKey ||
    event.metaKey ||
    event.shiftKey ||
    event.altKey
  )
    return;
  event.preventDefault();
  history.pushState(null, '', link.getAttribute('href'));
  navigate(true);
});

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea, dialog')) return;
  if (localStorage.getItem(SHORTCUTS) === 'off' && event.key !== '?') return;
  const view = NAMES[Number(event.key) - 1];
  if (event.key === '?') help();
  else if (event.key === '/') {
    const field = document.querySelector('main input[type=search]');
    if (field) {
      event.preventDefault();
      field.focus();
    }
  } else if (view && !seen.locked) ctx.go(view, {});
});

addEventListener('popstate', () => navigate(false));

if (keyRequired && !key()) {
  seen.locked = 'asked';
  seen.link = 'locked';
}
navigate(false);
if (seen.locked) askForKey();
else connect();
