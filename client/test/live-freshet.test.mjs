import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BroadcastCacheManager } from '../index.js';
import { StreamingEventSource } from './support/event-source.mjs';
import { eventually } from './support/eventually.mjs';

const { FRESHET_URL, INTERNAL_API_KEY } = process.env;
const skip = FRESHET_URL === undefined && 'FRESHET_URL is not set: needs a running Freshet';
const E = `E${process.pid}`;

async function invalidate(eid, endpoint) {
  const response = await fetch(`${FRESHET_URL}/live/${eid}/invalidate`, {
    method: 'POST',
    headers: { authorization: `Bearer ${INTERNAL_API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ endpoint }),
  });
  assert.equal(response.status, 202);
}

for (const [how, options] of [
  ['a stream', { EventSource: StreamingEventSource }],
  [
    'polling',
    {
      EventSource: class {
        constructor() {
          throw new Error('not here');
        }
      },
      timings: { retryMs: 1, retryMaxMs: 2, pollMs: 50 },
    },
  ],
]) {
  test(`a manual invalidation arrives over ${how}, once, and only at its event`, { skip }, async t => {
    const manager = new BroadcastCacheManager(options);
    const eid = `${E}-${how.length}`;
    t.after(() => {
      manager.unsubscribeFromEvent(eid);
      manager.unsubscribeFromEvent(`${eid}x`);
    });
    const got = [];
    const others = [];
    manager.subscribeToEvent(eid, payload => got.push(payload));
    manager.subscribeToEvent(`${eid}x`, payload => others.push(payload));
    const endpoint = `/live/event/${eid}-1-2/bids`;
    manager.cacheEndpointData(endpoint, [1]);
    // said again until somebody listens
    await eventually(async () => {
      await invalidate(eid, endpoint);
      return got.some(({ type }) => type === 'manual_invalidation');
    }, 'an invalidation');
    const before = got.length;
    await invalidate(eid, '/live/last');
    await eventually(
      () => got.some(({ endpoints }) => endpoints.includes('/live/last')),
      () => `the last of ${JSON.stringify(got)}`,
    );
    assert.ok(got.length > before);
    assert.equal(got.filter(({ endpoints }) => endpoints.includes('/live/last')).length, 1);
    const { endpoints, event_eid, timestamp } = got.find(({ type }) => type === 'manual_invalidation');
    assert.deepEqual([endpoints, event_eid], [[endpoint], eid]);
    assert.ok(Math.abs(timestamp - Date.now()) < 600_000);
    assert.equal(manager.getCachedData(endpoint), null);
    assert.deepEqual(
      others.filter(({ type }) => type !== 'reset'),
      [],
    );
  });
}
