import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { BroadcastCacheManager, broadcastCacheManager } from '../live.js';
import { StreamingEventSource } from './support/event-source.mjs';
import { eventually } from './support/eventually.mjs';
import { liveServer } from './support/live-server.mjs';

// the server of the test is the only one
delete process.env.FRESHET_URL;

const E = 'AB3028';
/** Everything that is not what a test is about is far away. */
const NEVER = 600_000;
const PATIENT = {
  connectMs: NEVER,
  stableMs: NEVER,
  retryMs: 1,
  retryMaxMs: 2,
  silenceMs: NEVER,
  pollMs: 5,
  streamAgainMs: NEVER,
  streamAgainMaxMs: NEVER,
};
let server;
let manager;
let got;
const note = payload => got.push(payload);

beforeEach(async () => {
  server = await liveServer();
  got = [];
  StreamingEventSource.opened = [];
  manager = managerWith();
});

afterEach(async () => {
  for (const eid of [E, 'OTHER', 'AB3029']) {
    manager.unsubscribeFromEvent(eid);
  }
  await new Promise(resolve => setImmediate(resolve));
  await server.close().catch(() => {});
});

function managerWith(timings, options) {
  return new BroadcastCacheManager({
    url: server.url,
    EventSource: StreamingEventSource,
    timings: { ...PATIENT, ...timings },
    ...options,
  });
}

async function streaming(eid = E) {
  await eventually(
    () => server.streams(eid) === 1 && StreamingEventSource.opened.some(source => source.readyState === 1),
    `a stream of ${eid}`,
  );
}

const received = count =>
  eventually(
    () => got.length >= count,
    () => `${count} received, but ${JSON.stringify(got)}`,
  );

test('a change reaches the callback as the wire says, its time in milliseconds', async () => {
  manager.subscribeToEvent(E, note);
  await streaming();
  server.publish(E, 'bid_placed', {
    endpoints: ['/live/event/AB3028', '/live/event/AB3028-1-2/bids'],
    amount: 250,
    timestamp: 1_700_000_000.25,
  });
  await received(1);
  assert.deepEqual(got, [
    {
      type: 'bid_placed',
      event_eid: E,
      endpoints: ['/live/event/AB3028', '/live/event/AB3028-1-2/bids'],
      art_id: 'a1',
      round: 1,
      easel: 2,
      amount: 250,
      timestamp: 1_700_000_000_250,
    },
  ]);
});

test('every type of change is heard', async () => {
  manager.subscribeToEvent(E, note);
  await streaming();
  const types = ['art_updated', 'vote_cast', 'comment_added', 'bid_placed', 'media_updated', 'manual_invalidation'];
  types.forEach(type => server.publish(E, type));
  await received(types.length);
  assert.deepEqual(
    got.map(({ type }) => type),
    types,
  );
});

test('a Freshet that names its events whatever it is asked for is understood, too', async () => {
  server.faults.named = true;
  manager.subscribeToEvent(E, note);
  await streaming();
  const types = ['art_updated', 'vote_cast', 'bid_placed', 'media_updated', 'manual_invalidation'];
  types.forEach(type => server.publish(E, type));
  await received(types.length);
  assert.deepEqual(
    got.map(({ type }) => type),
    types,
  );
});

test('many subscribers of one event share one EventSource, another event has its own', async () => {
  const others = [];
  for (let i = 0; i < 20; i++) {
    manager.subscribeToEvent(E, payload => others.push(payload));
  }
  manager.subscribeToEvent(E, note);
  manager.subscribeToEvent('OTHER', payload => others.push(payload));
  await streaming();
  await streaming('OTHER');
  server.publish(E);
  await received(1);
  assert.equal(others.length, 20);
  assert.equal(StreamingEventSource.opened.length, 2);
  assert.deepEqual(
    StreamingEventSource.opened.map(({ url }) => url),
    ['AB3028', 'OTHER'].map(eid => `${server.url}/live/${eid}/stream?as=message`),
  );
  const { subscriptions, eventListeners } = manager.getCacheStats();
  assert.deepEqual([subscriptions, eventListeners], [2, 22]);
});

test('the last to leave closes the stream, and one that comes back at once finds it open', async () => {
  const leave = manager.subscribeToEvent(E, note);
  const second = () => {};
  manager.subscribeToEvent(E, second);
  await streaming();
  leave();
  leave();
  manager.unsubscribeFromEvent(E, second);
  manager.subscribeToEvent(E, note);
  server.publish(E);
  await received(1);
  assert.equal(StreamingEventSource.opened.length, 1);
  manager.unsubscribeFromEvent(E);
  await eventually(() => server.streams(E) === 0, 'no stream');
  assert.equal(StreamingEventSource.opened[0].readyState, 2);
  assert.deepEqual([manager.getCacheStats().subscriptions, manager.getCacheStats().eventListeners], [0, 0]);
});

test('two components with one function each end only their own subscription', async () => {
  const first = manager.subscribeToEvent(E, note);
  manager.subscribeToEvent(E, note);
  await streaming();
  first();
  server.publish(E);
  await received(1);
  assert.equal(got.length, 1);
});

test('a callback that throws, or changes what it got, harms no other', async t => {
  const said = t.mock.method(console, 'error', () => {});
  manager.subscribeToEvent(E, payload => {
    payload.endpoints.length = 0;
    throw new Error('thrown');
  });
  manager.subscribeToEvent(E, async () => {
    throw new Error('rejected');
  });
  manager.subscribeToEvent(E, note);
  await streaming();
  server.publish(E);
  server.publish(E);
  await received(2);
  assert.deepEqual(got[1].endpoints, ['/live/event/AB3028']);
  await eventually(() => said.mock.callCount() === 4, 'said in the console');
  assert.match(said.mock.calls[0].arguments[0], /^\[BroadcastCacheManager\] A callback of AB3028 failed/);
});

test('endpoints are invalid before callbacks run', async () => {
  manager.cacheEndpointData('/live/event/AB3028', { votes: 1 });
  manager.cacheEndpointData('https://api.example/v1/live/event/AB3028?lang=en', { votes: 1 });
  manager.cacheEndpointData('/live/event/AB3028/media', ['m']);
  const seen = [];
  manager.subscribeToEvent(E, () =>
    seen.push(
      ['/live/event/AB3028', 'https://api.example/v1/live/event/AB3028?lang=en', '/live/event/AB3028/media'].map(
        endpoint => manager.getCachedData(endpoint),
      ),
    ),
  );
  await streaming();
  server.publish(E);
  await eventually(() => seen.length === 1, 'a callback');
  assert.deepEqual(seen, [[null, null, ['m']]]);
  const { totalEntries, validEntries, expiredEntries, invalidatedEntries } = manager.getCacheStats();
  assert.deepEqual([totalEntries, validEntries, expiredEntries, invalidatedEntries], [3, 1, 0, 2]);
});

test('a repeated id is dropped', async () => {
  manager.subscribeToEvent(E, note);
  await streaming();
  const id = server.publish(E);
  server.repeat(id);
  server.publish(E, 'art_updated');
  await received(2);
  assert.deepEqual(
    got.map(({ type }) => type),
    ['vote_cast', 'art_updated'],
  );
});

test('a broken connection is resumed by the EventSource, nothing is missed or doubled', async () => {
  manager.subscribeToEvent(E, note);
  await streaming();
  server.publish(E);
  await received(1);
  server.drop();
  server.publish(E, 'art_updated');
  server.publish(E, 'media_updated');
  await received(3);
  assert.deepEqual(
    got.map(({ type }) => type),
    ['vote_cast', 'art_updated', 'media_updated'],
  );
  assert.equal(StreamingEventSource.opened.length, 1);
  assert.equal(server.asked('stream').at(-1).lastEventId, '1');
});

test('an EventSource that gave up is opened again where the last one ended', async () => {
  manager = managerWith({ stableMs: 1 });
  manager.subscribeToEvent(E, note);
  await streaming();
  server.publish(E);
  await received(1);
  server.faults.stream = 503;
  server.drop();
  await eventually(() => StreamingEventSource.opened[0].readyState === 2, 'given up');
  server.publish(E, 'art_updated');
  server.faults.stream = 200;
  await received(2);
  assert.equal(got[1].type, 'art_updated');
  assert.equal(server.asked('stream').at(-1).query.lastEventId, '1');
});

test('a browser that reconnects by itself before the first change misses nothing and refetches nothing', async () => {
  server.publish(E, 'media_updated');
  manager.subscribeToEvent(E, note);
  await streaming();
  await eventually(() => server.asked('stream').length === 1, 'asked once');
  server.drop();
  server.publish(E, 'art_updated');
  await received(1);
  assert.deepEqual(
    got.map(({ type }) => type),
    ['art_updated'],
  );
  assert.equal(server.asked('stream').at(-1).lastEventId, '1');
});

test('what was given up before anything was known may have missed something: refetch all', async () => {
  server.faults.noHello = true;
  manager = managerWith({ stableMs: 1 });
  manager.subscribeToEvent(E, note);
  await streaming();
  server.faults.stream = 503;
  manager.cacheEndpointData('/live/event/AB3028-1-2/bids', [1]);
  manager.cacheEndpointData('/live/event/AB3029', 'another event');
  server.drop();
  await eventually(() => StreamingEventSource.opened[0].readyState === 2, 'given up');
  server.faults.stream = 200;
  await received(1);
  assert.deepEqual(
    { ...got[0], timestamp: 0 },
    {
      type: 'reset',
      event_eid: E,
      timestamp: 0,
      endpoints: ['/live/event/AB3028', '/live/event/AB3028/media', '/live/event/AB3028-1-2/bids'],
    },
  );
  assert.equal(manager.getCachedData('/live/event/AB3028-1-2/bids'), null);
  assert.equal(manager.getCachedData('/live/event/AB3029'), 'another event');
});

test('a stream that says hello is resumed from there by hand, also before the first change', async () => {
  server.publish('OTHER');
  manager = managerWith({ stableMs: 1 });
  manager.subscribeToEvent(E, note);
  await streaming();
  server.faults.stream = 503;
  server.drop();
  await eventually(() => StreamingEventSource.opened[0].readyState === 2, 'given up');
  server.publish(E, 'art_updated');
  server.faults.stream = 200;
  await received(1);
  assert.deepEqual(
    got.map(({ type }) => type),
    ['art_updated'],
  );
});

test('a reset tells all to refetch and forgets what was cached', async () => {
  manager.subscribeToEvent(E, note);
  await streaming();
  manager.cacheEndpointData('/live/event/AB3028/media', ['m']);
  server.publish(E);
  await received(1);
  server.write(E, 'id: 90\nevent: reset\ndata: {}\n\n');
  await received(2);
  assert.equal(got[1].type, 'reset');
  assert.deepEqual(got[1].endpoints, ['/live/event/AB3028', '/live/event/AB3028/media']);
  assert.ok(Math.abs(got[1].timestamp - Date.now()) < 60_000);
  assert.equal(manager.getCacheStats().totalEntries, 0);
  server.drop();
  await eventually(() => server.asked('stream').length === 2, 'resumed');
  assert.equal(server.asked('stream').at(-1).lastEventId, '90');
});

test('where streaming fails three times in a row it is polled, from where it was', async () => {
  manager.subscribeToEvent(E, note);
  await streaming();
  server.publish(E);
  await received(1);
  server.faults.stream = 503;
  server.drop();
  await eventually(() => server.asked('history').length > 0, 'polling');
  assert.ok(server.asked('stream').length >= 3);
  server.publish(E, 'art_updated');
  server.publish(E, 'bid_placed');
  await received(3);
  assert.deepEqual(
    got.map(({ type }) => type),
    ['vote_cast', 'art_updated', 'bid_placed'],
  );
  assert.equal(server.asked('history')[0].query.after, '1');
  assert.equal(got[2].timestamp, 1_700_000_000_000);
});

test('who polls without ever having streamed begins with a reset, not with the history of a day', async () => {
  for (let i = 0; i < 2_100; i++) {
    server.publish(E);
  }
  server.faults.stream = 503;
  manager.subscribeToEvent(E, note);
  await received(1);
  server.publish(E, 'art_updated');
  await received(2);
  assert.deepEqual(
    got.map(({ type }) => type),
    ['reset', 'art_updated'],
  );
});

test('polling pages through what is more than one answer', async () => {
  manager = managerWith({ pollMs: NEVER });
  manager.subscribeToEvent(E, note);
  await streaming();
  server.publish(E);
  await received(1);
  server.faults.stream = 503;
  server.drop();
  for (let i = 0; i < 2_100; i++) {
    server.publish(E);
  }
  await received(2_101);
  assert.ok(server.asked('history').every(({ query }) => query.limit === '1000'));
});

test('polling is told of a reset, too', async () => {
  manager.subscribeToEvent(E, note);
  await streaming();
  server.publish(E);
  await received(1);
  server.faults.stream = 503;
  server.publish(E);
  server.forget();
  server.drop();
  await eventually(() => got.at(-1).type === 'reset', 'a reset');
  server.publish(E, 'art_updated');
  await eventually(() => got.at(-1).type === 'art_updated', 'what comes after it');
  assert.equal(got.filter(({ type }) => type === 'reset').length, 1);
});

test('polling ends when a stream delivers again', async () => {
  manager = managerWith({ streamAgainMs: 5, streamAgainMaxMs: 10 });
  server.faults.stream = 503;
  manager.subscribeToEvent(E, note);
  await received(1);
  server.faults.stream = 200;
  await streaming();
  server.publish(E, 'art_updated');
  await received(2);
  const delivering = StreamingEventSource.opened.length;
  await eventually(async () => {
    const before = server.requests.length;
    await new Promise(resolve => setTimeout(resolve, 50));
    return server.requests.length === before;
  }, 'no more polling');
  assert.equal(StreamingEventSource.opened.filter(({ readyState }) => readyState === 1).length, 1);
  server.publish(E, 'bid_placed');
  await received(3);
  assert.equal(StreamingEventSource.opened.length, delivering);
  assert.deepEqual(
    got.map(({ type }) => type),
    ['reset', 'art_updated', 'bid_placed'],
  );
});

test('a stream that a proxy holds back is found out: what it let pass is told, and in the end is polled', async () => {
  manager = managerWith({ silenceMs: 20 });
  manager.subscribeToEvent(E, note);
  await streaming();
  server.publish(E);
  await received(1);
  server.faults.holdBack = true;
  for (let i = 2; i <= 6; i++) {
    server.publish(E);
    await received(i);
  }
  await eventually(() => server.asked('history').length > 20, 'polling');
  assert.ok(StreamingEventSource.opened.length >= 3);
});

test('a stream that a proxy holds back from its beginning loses nothing: what was missed is refetched', async () => {
  manager = managerWith({ silenceMs: 50 });
  server.faults.holdBack = true;
  manager.subscribeToEvent(E, note);
  await streaming();
  server.publish(E);
  await received(1);
  assert.equal(got[0].type, 'reset');
  server.publish(E, 'art_updated');
  await received(2);
  assert.equal(got[1].type, 'art_updated');
});

test('a stream that breaks after each hello ends in polling', async () => {
  manager.subscribeToEvent(E, note);
  for (let i = 1; i <= 3; i++) {
    await eventually(() => server.asked('stream').length === i && server.streams(E) === 1, `try ${i}`);
    server.drop();
  }
  await eventually(() => server.asked('history').length > 0, 'polling');
});

test('polling does not end with a hello, but with what the stream delivers', async () => {
  manager = managerWith({ streamAgainMs: 5, streamAgainMaxMs: 10 });
  server.faults.stream = 503;
  manager.subscribeToEvent(E, note);
  await received(1);
  server.faults.stream = 200;
  await streaming();
  const asked = server.asked('history').length;
  await eventually(() => server.asked('history').length > asked + 5, 'polling beside the trial');
});

test('a trial stream that is held back does not end the polling', async () => {
  manager = managerWith({ streamAgainMs: 5, streamAgainMaxMs: 10 });
  server.faults.stream = 503;
  server.faults.holdBack = true;
  manager.subscribeToEvent(E, note);
  await received(1);
  server.faults.stream = 200;
  await streaming();
  for (let i = 2; i <= 6; i++) {
    server.publish(E);
    await received(i);
  }
  assert.deepEqual(
    got.map(({ type }) => type),
    ['reset', ...Array(5).fill('vote_cast')],
  );
  const trials = StreamingEventSource.opened.length;
  for (let i = 7; StreamingEventSource.opened.length < trials + 3; i++) {
    server.publish(E);
    await received(i);
  }
});

test('silence alone is no fault: one question, and the stream stays', async () => {
  manager = managerWith({ silenceMs: 10 });
  manager.subscribeToEvent(E, note);
  await streaming();
  await eventually(() => server.asked('history').length >= 4, 'asked');
  server.publish(E);
  await received(1);
  await eventually(() => server.asked('history').length >= 8, 'asked again');
  assert.equal(StreamingEventSource.opened.length, 1);
  assert.deepEqual(
    got.map(({ type }) => type),
    ['vote_cast'],
  );
});

test('a stream that never answers has failed', async () => {
  class Mute extends EventTarget {
    readyState = 0;
    close() {}
  }
  manager = managerWith({ connectMs: 5 }, { EventSource: Mute });
  manager.subscribeToEvent(E, note);
  await received(1);
  server.publish(E, 'art_updated');
  await received(2);
  assert.deepEqual(
    got.map(({ type }) => type),
    ['reset', 'art_updated'],
  );
});

test('without any EventSource it is polled', async () => {
  manager = managerWith({}, { EventSource: undefined });
  manager.subscribeToEvent(E, note);
  await received(1);
  server.publish(E);
  await received(2);
  assert.deepEqual(
    got.map(({ type }) => type),
    ['reset', 'vote_cast'],
  );
});

test('without any EventSource a change before the first poll is not lost: a reset stands for it, once', async () => {
  manager = managerWith({}, { EventSource: undefined });
  manager.subscribeToEvent(E, note);
  server.publish(E);
  await eventually(() => server.asked('history').length > 2, 'polling');
  server.publish(E, 'art_updated');
  await eventually(() => got.at(-1)?.type === 'art_updated', 'what came later');
  assert.deepEqual(
    got.map(({ type }) => type),
    ['reset', 'art_updated'],
  );
});

test('a server that is away for a while is found again, and nothing is missed', async () => {
  manager = managerWith({ stableMs: 1, streamAgainMs: 20, streamAgainMaxMs: 40 });
  manager.subscribeToEvent(E, note);
  await streaming();
  server.publish(E);
  await received(1);
  await server.down();
  server.publish(E, 'art_updated');
  await eventually(() => StreamingEventSource.opened[0].readyState === 2, 'given up');
  await server.up();
  await received(2);
  await streaming();
  server.publish(E, 'bid_placed');
  await received(3);
  assert.deepEqual(
    got.map(({ type }) => type),
    ['vote_cast', 'art_updated', 'bid_placed'],
  );
});

test('a page that wakes up reconnects with the last id; a short look at another tab does not', async t => {
  const page = new EventTarget();
  page.visibilityState = 'visible';
  globalThis.document = page;
  const window = new EventTarget();
  globalThis.addEventListener = window.addEventListener.bind(window);
  globalThis.removeEventListener = window.removeEventListener.bind(window);
  t.after(() => {
    delete globalThis.document;
    delete globalThis.addEventListener;
    delete globalThis.removeEventListener;
  });
  let now = Date.now();
  t.mock.method(Date, 'now', () => now);
  const look = (state, after) => {
    now += after;
    page.visibilityState = state;
    page.dispatchEvent(new Event('visibilitychange'));
  };
  manager.subscribeToEvent(E, note);
  await streaming();
  server.publish(E);
  await received(1);
  look('hidden', 0);
  look('visible', 1_000);
  assert.equal(StreamingEventSource.opened.length, 1);
  look('hidden', 0);
  look('visible', 60_000);
  assert.equal(StreamingEventSource.opened.length, 2);
  await streaming();
  window.dispatchEvent(new Event('online'));
  window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: false }));
  window.dispatchEvent(Object.assign(new Event('pageshow'), { persisted: true }));
  assert.deepEqual(
    StreamingEventSource.opened.map(({ readyState }) => readyState),
    [2, 2, 2, 0],
  );
  await streaming();
  assert.ok(
    server
      .asked('stream')
      .slice(1)
      .every(({ query }) => query.lastEventId === '1'),
  );
  manager.unsubscribeFromEvent(E);
  await new Promise(resolve => setImmediate(resolve));
  window.dispatchEvent(new Event('online'));
  assert.equal(StreamingEventSource.opened.length, 4);
});

test('the live key travels in the query and into no line', async t => {
  const lines = t.mock.method(console, 'log', () => {});
  manager = managerWith({ silenceMs: 10 }, { liveKey: 'live-key-90/&c1' });
  manager.setDebugMode(true);
  manager.subscribeToEvent(E, note);
  await streaming();
  await eventually(() => server.asked('history').length > 0, 'the history, too');
  assert.ok(server.requests.every(({ query }) => query.key === 'live-key-90/&c1'));
  assert.ok(!JSON.stringify(lines.mock.calls).includes('live-key'));
});

test('debug mode says in the console what happens, otherwise nothing is said', async t => {
  const lines = [];
  t.mock.method(console, 'log', line => lines.push(line));
  manager.cacheEndpointData('/live/event/AB3028', 1);
  manager.setDebugMode(true);
  manager.cacheEndpointData('/live/event/AB3028', 1, 1_000);
  manager.getCachedData('/live/event/AB3028');
  manager.getCachedData('/live/event/AB3029');
  manager.subscribeToEvent(E, note);
  await streaming();
  manager.subscribeToEvent(E, () => {});
  const id = server.publish(E);
  server.repeat(id);
  server.write(E, 'event: reset\ndata: {}\n\n');
  await received(2);
  manager.unsubscribeFromEvent(E);
  manager.setDebugMode(false);
  manager.invalidateEndpoint('/x');
  assert.deepEqual(lines, [
    '[CACHE] Cached data for endpoint: /live/event/AB3028',
    '[CACHE] Using valid cached data for: /live/event/AB3028',
    '[CACHE] No cached data for: /live/event/AB3029',
    '[BroadcastCacheManager] 🔔 Subscribing to cache invalidation for event AB3028',
    '[BroadcastCacheManager] ✅ Subscribed to cache_invalidate_AB3028',
    '[BroadcastCacheManager] Connected to event AB3028',
    '[BroadcastCacheManager] 🔔 Subscribing to cache invalidation for event AB3028',
    '[BroadcastCacheManager] ✅ Subscribed to cache_invalidate_AB3028',
    '📡 [BROADCAST] vote_cast notification for event AB3028',
    '[BroadcastCacheManager] Its payload:',
    '❌ [CACHE] Invalidated endpoint: /live/event/AB3028',
    '[BroadcastCacheManager] Duplicate 1 of AB3028 dropped',
    '📡 [BROADCAST] reset notification for event AB3028',
    '[BroadcastCacheManager] Unsubscribed from event AB3028',
  ]);
});

test('it says that it has subscribed when it hears what changes, and not before', async t => {
  const lines = [];
  t.mock.method(console, 'log', line => lines.push(line));
  server.faults.stream = server.faults.history = 503;
  manager.setDebugMode(true);
  manager.subscribeToEvent(E, note);
  await eventually(() => lines.some(line => line.endsWith('polling')), 'polling');
  await eventually(() => server.asked('history').length > 0, 'asked');
  assert.ok(!lines.some(line => line.includes('✅')));
  server.faults.history = 200;
  await eventually(() => lines.includes('[BroadcastCacheManager] ✅ Subscribed to cache_invalidate_AB3028'), 'said');
});

test('a payload that does not say it gets its type and event from the stream', async () => {
  manager.subscribeToEvent(E, note);
  await streaming();
  server.write(E, 'id: 5\nevent: vote_cast\ndata: {"endpoints":["/x",7],"timestamp":null}\n\n');
  await received(1);
  assert.deepEqual([got[0].type, got[0].event_eid, got[0].endpoints], ['vote_cast', E, ['/x']]);
  assert.ok(Math.abs(got[0].timestamp - Date.now()) < 60_000);
});

test('what cannot be read is not passed over: refetch all', async () => {
  manager.subscribeToEvent(E, note);
  await streaming();
  server.write(E, 'id: 7\nevent: vote_cast\ndata: {"type":\n\n');
  await received(1);
  assert.equal(got[0].type, 'reset');
});

test('the cache: times to live, invalidation, what belongs to an event, and a limit', t => {
  let now = 1_000_000;
  t.mock.method(Date, 'now', () => now);
  manager.cacheEndpointData('/live/event/AB3028', { a: 1 });
  manager.cacheEndpointData('/live/event/AB3028-2-1/bids', 2, 500);
  manager.cacheEndpointData('/live/event/AB30281', 3);
  manager.cacheEndpointData('/live/event/AB3028-2', 'an event that only begins alike');
  now += 500;
  assert.deepEqual(manager.getCachedData('/live/event/AB3028'), { a: 1 });
  assert.equal(manager.getCachedData('/live/event/AB3028-2-1/bids'), null);
  assert.equal(manager.getCachedData('/nothing'), null);
  assert.equal(manager.invalidateEndpoint('/live/event/AB30281'), true);
  assert.equal(manager.invalidateEndpoint('/live/event/AB30281'), false);
  const { totalEntries, validEntries, expiredEntries, invalidatedEntries } = manager.getCacheStats();
  assert.deepEqual([totalEntries, validEntries, expiredEntries, invalidatedEntries], [4, 2, 1, 1]);
  manager.clearEventCache(E);
  assert.equal(manager.getCachedData('/live/event/AB3028'), null);
  assert.equal(manager.getCachedData('/live/event/AB3028-2'), 'an event that only begins alike');
  now += 300_000;
  assert.equal(manager.getCachedData('/live/event/AB3028-2'), null);
  for (let i = 0; i < 1_500; i++) {
    manager.cacheEndpointData(`/e/${i}`, i);
  }
  assert.equal(manager.getCacheStats().totalEntries, 1_000);
  assert.equal(manager.getCachedData('/e/1499'), 1_499);
});

test('what changed while it was fetched is not kept', () => {
  const since = manager.beforeFetch();
  manager.invalidateEndpoint('/live/event/AB3028');
  assert.equal(manager.keepFetched('https://api.example/live/event/AB3028', 'old', { since }), false);
  assert.equal(manager.keepFetched('/live/event/AB3028/media', 'not concerned', { since }), true);
  assert.equal(manager.keepFetched('/live/event/AB3028', 'new', { since: manager.beforeFetch() }), true);
  const before = manager.beforeFetch();
  manager.clearEventCache(E);
  assert.equal(manager.keepFetched('/api/summary', 'of the event', { eid: E, since: before }), false);
  for (let i = 0; i < 5_000; i++) {
    manager.invalidateEndpoint(`/e/${i}`);
  }
  assert.equal(manager.keepFetched('/any', 'nobody knows any more', { since: before }), false);
});

test('with nobody left to hear of changes, nothing of the event stays cached', async () => {
  const leave = manager.subscribeToEvent(E, note);
  await streaming();
  manager.cacheEndpointData('/live/event/AB3028', 1);
  leave();
  await eventually(() => manager.getCachedData('/live/event/AB3028') === null, 'forgotten');
});

test('wrong arguments are refused by name', () => {
  for (const eid of ['', 'a b', 'a/b', '..', '.', 'é', 'x'.repeat(41), 7, undefined]) {
    assert.throws(() => manager.subscribeToEvent(eid, note), /^TypeError: eid:/);
  }
  assert.throws(() => manager.subscribeToEvent(E), /^TypeError: callback:/);
  assert.throws(() => manager.cacheEndpointData('', 1), /^TypeError: endpoint:/);
  assert.throws(() => manager.cacheEndpointData('/x', 1, -1), /^TypeError: ttl:/);
  assert.throws(() => new BroadcastCacheManager({ origin: 'x' }), /^TypeError: origin:/);
  assert.throws(() => new BroadcastCacheManager().subscribeToEvent(E, note), /Where is Freshet/);
  assert.equal(manager.getCacheStats().subscriptions, 0);
  assert.ok(broadcastCacheManager instanceof BroadcastCacheManager);
});
