import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, test as nodeTest } from 'node:test';
import { configure } from '../settings.js';
import { broadcastCacheManager } from '../live.js';
import { answers, json } from './support/answers.mjs';
import { eventually } from './support/eventually.mjs';

const installed = existsSync(new URL('../node_modules/react', import.meta.url));
const test = (name, run) => nodeTest(name, { skip: !installed && 'React is not installed: npm ci in client/' }, run);
const { StrictMode, createElement, useEffect, useState } = installed ? await import('react') : {};
const { act, create } = installed ? await import('react-test-renderer') : {};
const { renderToString } = installed ? await import('react-dom/server') : {};
const { useBroadcastCache, useCachedFetch } = installed ? await import('../react.js') : {};

globalThis.IS_REACT_ACT_ENVIRONMENT = true;

const E = 'AB3028';
const mounted = [];

/** An EventSource whose events come when the test says so. */
class Wire extends EventTarget {
  static all = [];
  readyState = 1;

  constructor(url) {
    super();
    this.url = url;
    Wire.all.push(this);
  }

  close() {
    this.readyState = 2;
  }

  static open() {
    return Wire.all.filter(wire => wire.readyState === 1);
  }
}

let ids = 0;

function change(type = 'vote_cast', endpoints = ['/live/event/AB3028'], more = {}) {
  const data = JSON.stringify({ type, event_eid: E, endpoints, timestamp: 1_700_000_000 + ids, ...more });
  for (const wire of Wire.open()) {
    wire.dispatchEvent(new MessageEvent(type, { data, lastEventId: String(++ids) }));
  }
}

async function mount(element) {
  let root;
  await act(() => {
    root = create(element);
  });
  mounted.push(root);
  return { root, render: next => act(() => root.update(next)), unmount: () => act(() => root.unmount()) };
}

beforeEach(() => {
  Wire.all = [];
  ids = 0;
  configure({ url: 'http://freshet.example', EventSource: Wire, timings: { silenceMs: 600_000, connectMs: 600_000 } });
});

afterEach(async () => {
  for (const root of mounted.splice(0)) {
    await act(() => root.unmount());
  }
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(broadcastCacheManager.getCacheStats().eventListeners, 0);
  broadcastCacheManager.setDebugMode(false);
});

test('five rapid changes are one refresh with all their endpoints', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const refreshes = [];
  function Page() {
    useBroadcastCache(E, invalidation => refreshes.push(invalidation));
    return null;
  }
  await mount(createElement(Page));
  for (let i = 1; i <= 5; i++) {
    change(i === 3 ? 'bid_placed' : 'vote_cast', ['/live/event/AB3028', `/live/event/AB3028-1-${i % 2}/bids`]);
    t.mock.timers.tick(199);
  }
  assert.deepEqual(refreshes, []);
  t.mock.timers.tick(5);
  assert.equal(refreshes.length, 1);
  const [{ type, event_eid, endpoints, timestamp, events }] = refreshes;
  assert.deepEqual([type, event_eid, events.length, timestamp], ['multiple', E, 5, 1_700_000_004_000]);
  assert.deepEqual(endpoints, ['/live/event/AB3028', '/live/event/AB3028-1-1/bids', '/live/event/AB3028-1-0/bids']);
  change();
  t.mock.timers.tick(1_000);
  assert.deepEqual(
    refreshes[1].events.map(one => one.type),
    ['vote_cast'],
  );
});

test('one change alone is passed on as it is, and the first does not wait for ever while more come', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const refreshes = [];
  function Page() {
    useBroadcastCache(E, invalidation => refreshes.push(invalidation), { refreshDelay: 100 });
    return null;
  }
  await mount(createElement(Page));
  change('bid_placed', ['/live/event/AB3028'], { amount: 90, round: 2 });
  t.mock.timers.tick(100);
  assert.deepEqual([refreshes[0].type, refreshes[0].amount, refreshes[0].round], ['bid_placed', 90, 2]);
  for (let i = 0; i < 40; i++) {
    change();
    t.mock.timers.tick(25);
  }
  assert.ok(refreshes.length >= 8, `${refreshes.length} refreshes`);
  change('vote_cast');
  Wire.open()[0].dispatchEvent(new MessageEvent('reset', { data: '{}', lastEventId: '99' }));
  t.mock.timers.tick(100);
  assert.equal(refreshes.at(-1).type, 'reset');
});

test('without autoRefresh each change is told at once', async () => {
  const told = [];
  function Page() {
    useBroadcastCache(E, ({ type }) => told.push(type), { autoRefresh: false });
    return null;
  }
  await mount(createElement(Page));
  change('vote_cast');
  change('art_updated');
  assert.deepEqual(told, ['vote_cast', 'art_updated']);
});

test('a new callback at every render subscribes once, the newest is called, and nothing loops', async t => {
  const lines = t.mock.method(console, 'log', () => {});
  broadcastCacheManager.setDebugMode(true);
  let renders = 0;
  const told = [];
  function Page({ version }) {
    const [, setCount] = useState(0);
    renders++;
    useBroadcastCache(
      E,
      () => {
        told.push(version);
        setCount(count => count + 1);
      },
      { autoRefresh: false, refreshDelay: version },
    );
    return null;
  }
  const page = await mount(createElement(Page, { version: 1 }));
  for (let version = 2; version <= 50; version++) {
    await page.render(createElement(Page, { version }));
  }
  assert.equal(Wire.all.length, 1);
  assert.deepEqual(
    lines.mock.calls.map(call => call.arguments[0]),
    ['[BroadcastCacheManager] 🔔 Subscribing to cache invalidation for event AB3028'],
  );
  await act(() => change());
  assert.deepEqual(told, [50]);
  assert.equal(renders, 51);
});

test('strict mode opens one stream and unmounting closes it', async () => {
  const told = [];
  function Page() {
    useBroadcastCache(E, () => told.push(1), { autoRefresh: false });
    useCachedFetch('/api/x', E);
    return null;
  }
  const page = await mount(createElement(StrictMode, null, createElement(Page)));
  assert.equal(Wire.all.length, 1);
  assert.equal(Wire.open().length, 1);
  change();
  assert.equal(told.length, 1);
  await page.unmount();
  await eventually(() => Wire.open().length === 0, 'closed');
  assert.deepEqual(
    [broadcastCacheManager.getCacheStats().subscriptions, broadcastCacheManager.getCacheStats().eventListeners],
    [0, 0],
  );
});

test('many components share one stream, and another event id opens another', async () => {
  const told = [];
  function Part({ eid, name }) {
    useBroadcastCache(eid, () => told.push(name), { autoRefresh: false });
    return null;
  }
  const parts = eid =>
    createElement('div', null, createElement(Part, { eid, name: 'a' }), createElement(Part, { eid, name: 'b' }));
  const page = await mount(parts(E));
  change();
  assert.deepEqual(told, ['a', 'b']);
  assert.equal(Wire.all.length, 1);
  await page.render(parts('OTHER'));
  await eventually(() => Wire.open().length === 1, 'one is left');
  assert.match(Wire.open()[0].url, /\/live\/OTHER\/stream\?as=message$/);
  await page.render(parts(null));
  await eventually(() => Wire.open().length === 0, 'none is left');
});

test('who is gone before the refresh is not called', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told = [];
  function Page() {
    useBroadcastCache(E, () => told.push(1));
    return null;
  }
  const page = await mount(createElement(Page));
  change();
  await page.unmount();
  t.mock.timers.tick(5_000);
  assert.deepEqual(told, []);
});

test('what goes wrong in a page is said and stays there', async t => {
  const said = t.mock.method(console, 'error', () => {});
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told = [];
  function Page() {
    useBroadcastCache('not an id', () => {});
    useBroadcastCache(E, () => {
      throw new Error('of the page');
    });
    useBroadcastCache(E, invalidation => told.push(invalidation));
    useBroadcastCache(E, null);
    return null;
  }
  await mount(createElement(Page));
  change();
  t.mock.timers.tick(1_000);
  assert.equal(told.length, 1);
  await new Promise(resolve => setImmediate(resolve));
  const lines = said.mock.calls
    .map(call => call.arguments.join(' '))
    .filter(line => line.startsWith('[BroadcastCacheManager]'));
  assert.match(lines[0], /not an id: TypeError: eid:/);
  assert.match(lines[1], /onInvalidation failed: Error: of the page/);
});

test('on the server nothing is subscribed to', () => {
  function Page() {
    useBroadcastCache(E, () => {});
    const { getCachedData } = useCachedFetch('/api/x', E);
    return createElement('p', null, String(getCachedData()));
  }
  assert.equal(renderToString(createElement(Page)), '<p>null</p>');
  assert.equal(Wire.all.length, 0);
});

test('debugMode turns the console lines on', async t => {
  const lines = t.mock.method(console, 'log', () => {});
  function Page() {
    useBroadcastCache(E, () => {}, { debugMode: true });
    return null;
  }
  await mount(createElement(Page));
  assert.equal(
    lines.mock.calls[0].arguments[0],
    '[BroadcastCacheManager] 🔔 Subscribing to cache invalidation for event AB3028',
  );
});

/** A component's use of the hook, for the test to call. */
async function cachedFetch(url, eid, options) {
  const uses = [];
  function Page({ version }) {
    const use = useCachedFetch(url, eid, { ...options, headers: { 'x-version': String(version) } });
    useEffect(() => {
      uses.push(use);
    });
    return null;
  }
  const page = await mount(createElement(Page, { version: 1 }));
  return { uses, rerender: version => page.render(createElement(Page, { version })), use: () => uses.at(-1) };
}

test('what was fetched is kept until the event changes it', async t => {
  let votes = 0;
  const api = await answers(response => json(response, 200, { votes: ++votes }));
  t.after(() => api.close());
  const { use } = await cachedFetch(`${api.url}/live/event/AB3028`, E);
  assert.equal(use().getCachedData(), null);
  assert.deepEqual(await use().getCachedOrFetch(), { votes: 1 });
  assert.deepEqual(await use().getCachedOrFetch(), { votes: 1 });
  assert.deepEqual(use().getCachedData(), { votes: 1 });
  change('vote_cast', ['/live/event/AB3028']);
  assert.equal(use().getCachedData(), null);
  assert.deepEqual(await use().getCachedOrFetch(), { votes: 2 });
  assert.deepEqual(await use().fetchData(), { votes: 3 });
  assert.deepEqual(use().getCachedData(), { votes: 3 });
});

test('functions stay the same over renders and use the newest options', async t => {
  const api = await answers(response => json(response, 200, {}));
  t.after(() => api.close());
  const { uses, rerender, use } = await cachedFetch(api.url, E);
  await rerender(2);
  for (const name of ['fetchData', 'getCachedOrFetch', 'getCachedData']) {
    assert.equal(uses[0][name], use()[name], name);
  }
  await uses[0].fetchData();
  assert.equal(api.requests[0].headers['x-version'], '2');
  assert.equal(api.requests[0].headers['cache-control'], 'max-age=0');
});

test('those who ask at the same time share one request, unless something changed since', async t => {
  const held = [];
  const api = await answers(response => held.push(response));
  t.after(() => api.close());
  const { use } = await cachedFetch(`${api.url}/live/event/AB3028`, E);
  const first = [use().getCachedOrFetch(), use().getCachedOrFetch()];
  await eventually(() => held.length === 1, 'one request');
  change('vote_cast', ['/live/event/AB3028']);
  const second = use().getCachedOrFetch();
  await eventually(() => held.length === 2, 'one more');
  json(held[1], 200, 'new');
  assert.equal(await second, 'new');
  json(held[0], 200, 'old');
  assert.deepEqual(await Promise.all(first), ['old', 'old']);
  assert.equal(api.requests.length, 2);
  assert.equal(use().getCachedData(), 'new');
});

test('a failure is an error with its status and is not kept', async t => {
  let status = 500;
  const api = await answers(response => response.writeHead(status, { 'content-type': 'text/plain' }).end('as text'));
  t.after(() => api.close());
  const { use } = await cachedFetch(api.url, null, { ttl: 60_000 });
  await assert.rejects(use().getCachedOrFetch(), error => error.status === 500);
  assert.equal(use().getCachedData(), null);
  status = 200;
  assert.equal(await use().getCachedOrFetch(), 'as text');
  assert.equal(use().getCachedData(), 'as text');
  assert.equal(Wire.all.length, 0);
});

test('only what was read is kept', async t => {
  const api = await answers(response => json(response, 200, 'written'));
  t.after(() => api.close());
  const { use } = await cachedFetch(`${api.url}/written`, E, { method: 'POST' });
  assert.equal(await use().fetchData(), 'written');
  assert.equal(use().getCachedData(), null);
});
