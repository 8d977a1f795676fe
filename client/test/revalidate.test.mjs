import assert from 'node:assert/strict';
import { createHmac, webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import vm from 'node:vm';
import { revalidateHandler } from '../revalidate.js';

const SECRET = 'plain-secret-7f3a';
const WEBHOOK_SECRET = `whsec_${Buffer.from('twenty-four bytes of key').toString('base64')}`;
const ADDRESS = 'https://app.example/api/revalidate';

function app(options = {}) {
  const calls = [];
  const failing = new Set();
  const handler = revalidateHandler({
    secret: SECRET,
    revalidateTag: (...given) => {
      calls.push(given);
      if (failing.has(given[0])) {
        throw new Error(`no such cache: ${SECRET}`);
      }
    },
    ...options,
  });
  return { handler, calls, failing, tags: () => calls.map(([tag]) => tag) };
}

function post(body, headers = { 'x-revalidation-secret': SECRET }) {
  return new Request(ADDRESS, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** As https://www.standardwebhooks.com says, and independent of the code under test. */
function signed(body, { secret = SECRET, id = 'msg_1', timestamp = Math.floor(Date.now() / 1000), signature } = {}) {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
  const own = `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  return post(body, {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signature === undefined ? own : signature(own),
  });
}

async function quietly(run) {
  const { error } = console;
  const said = [];
  console.error = (...parts) => said.push(parts.map(String).join(' '));
  try {
    return await run(said);
  } finally {
    console.error = error;
  }
}

test('a tag, or tags, by the secret, are revalidated so that the next request is fresh', async () => {
  const { handler, calls } = app();
  const one = await handler(post({ tag: 'course:7' }));
  assert.equal(one.status, 200);
  assert.equal(one.headers.get('cache-control'), 'no-store');
  const { now, ...said } = await one.json();
  assert.deepEqual(said, { success: true, revalidated: true, invalidated: 1 });
  assert.ok(Math.abs(now - Date.now()) < 60_000);
  assert.equal((await handler(post({ tags: ['a', 'b', 'a'] }))).status, 200);
  assert.deepEqual(calls, [
    ['course:7', { expire: 0 }],
    ['a', { expire: 0 }],
    ['b', { expire: 0 }],
  ]);
});

test("the batch endpoint takes what Freshet's batch target sends", async () => {
  const { handler, tags } = app({ secret: 'internal-key' });
  const answer = await handler(
    post(
      { tags: ['season_stats', 'hall_of_fame'], source: 'job-admin', requestId: 'msg_x' },
      { authorization: 'Bearer internal-key' },
    ),
  );
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).success, true);
  assert.deepEqual(tags(), ['season_stats', 'hall_of_fame']);
});

test('one route can serve both, with a secret and a key', async () => {
  const { handler } = app({ key: 'internal-key' });
  assert.equal((await handler(post({ tag: 'a' }, { authorization: 'bearer internal-key' }))).status, 200);
  assert.equal((await handler(post({ tag: 'a' }))).status, 200);
  assert.equal((await handler(signed('{"tag":"a"}', { secret: 'internal-key' }))).status, 200);
});

for (const secret of [SECRET, WEBHOOK_SECRET, 'sécret']) {
  test(`a signature by ${secret.slice(0, 6)}… is enough`, async () => {
    const { handler, tags } = app({ secret });
    assert.equal((await handler(signed('{"tag":"course:é"}', { secret }))).status, 200);
    assert.deepEqual(tags(), ['course:é']);
  });
}

test("the specification's own example verifies", async () => {
  const { handler, calls } = app({ secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', toleranceSeconds: 1e10 });
  const request = signature =>
    post('{"test": 2432232314}', {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': signature,
    });
  const right = await handler(request('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='));
  assert.deepEqual([right.status, (await right.json()).error], [400, 'tag: required, or tags']);
  assert.equal((await handler(request('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA='))).status, 401);
  assert.deepEqual(calls, []);
});

test('one of several signatures is enough, other versions are passed over', async () => {
  const { handler } = app();
  for (const signature of [own => `v1,AAAA ${own}`, own => `v1a,zzzz ${own} v1,BBBB`]) {
    assert.equal((await handler(signed('{"tag":"a"}', { signature }))).status, 200);
  }
});

for (const [what, request] of [
  ['nothing', () => post({ tag: 'a' }, {})],
  ['another secret', () => post({ tag: 'a' }, { 'x-revalidation-secret': 'plain-secret-7f3b' })],
  ['the beginning of the secret', () => post({ tag: 'a' }, { 'x-revalidation-secret': SECRET.slice(0, -1) })],
  ['an empty secret', () => post({ tag: 'a' }, { 'x-revalidation-secret': '' })],
  ['another bearer', () => post({ tag: 'a' }, { authorization: 'Bearer x' })],
  ['the secret as Basic', () => post({ tag: 'a' }, { authorization: `Basic ${SECRET}` })],
  ['a signature by another secret', () => signed('{"tag":"a"}', { secret: 'other' })],
  ['a signature without its version', () => signed('{"tag":"a"}', { signature: own => own.slice(3) })],
  ['a signature of version 2', () => signed('{"tag":"a"}', { signature: own => own.replace('v1', 'v2') })],
  ['no signature in its header', () => signed('{"tag":"a"}', { signature: () => '' })],
  ['a signature that is too old', () => signed('{"tag":"a"}', { timestamp: Math.floor(Date.now() / 1000) - 310 })],
  ['a signature from the future', () => signed('{"tag":"a"}', { timestamp: Math.floor(Date.now() / 1000) + 310 })],
  ['a signature of no time', () => signed('{"tag":"a"}', { timestamp: 'now' })],
  [
    'a signature of another body',
    async () => new Request(signed('{"tag":"a"}'), { body: '{"tag":"b"}', method: 'POST' }),
  ],
]) {
  test(`${what} is 401, and nothing is revalidated`, async () => {
    const { handler, calls } = app();
    const answer = await handler(await request());
    assert.equal(answer.status, 401);
    const text = await answer.text();
    assert.ok(JSON.parse(text).error);
    assert.ok(!text.includes(SECRET));
    assert.deepEqual(calls, []);
  });
}

test('a signature of just under five minutes is accepted', async () => {
  const { handler } = app();
  for (const off of [-280, 280]) {
    assert.equal(
      (await handler(signed('{"tag":"a"}', { timestamp: Math.floor(Date.now() / 1000) + off }))).status,
      200,
    );
  }
});

for (const [body, name] of [
  ['{', 'body'],
  ['', 'body'],
  ['[]', 'tag'],
  ['null', 'tag'],
  ['{}', 'tag'],
  ['{"tag":""}', 'tag'],
  ['{"tag":7}', 'tag'],
  ['{"tags":[]}', 'tags'],
  ['{"tags":"a"}', 'tags'],
  ['{"tags":["a",null]}', 'tags[1]'],
  [JSON.stringify({ tag: 'a'.repeat(257) }), 'tag'],
  [JSON.stringify({ tag: 'a', tags: ['b', ''] }), 'tags[1]'],
]) {
  test(`the body ${body.slice(0, 20)} is 400 and names ${name}`, async () => {
    const { handler, calls } = app();
    const answer = await handler(post(body));
    assert.equal(answer.status, 400);
    assert.ok((await answer.json()).error.startsWith(`${name}:`));
    assert.deepEqual(calls, []);
  });
}

test('a tag of 256 characters is one, whatever they take in UTF-16', async () => {
  const { handler, tags } = app();
  assert.equal((await handler(post({ tag: '🎨'.repeat(256) }))).status, 200);
  assert.equal(tags()[0].length, 512);
});

test('a body that does not end is cut off', async () => {
  const { handler } = app();
  let sent = 0;
  const body = new ReadableStream({
    pull(stream) {
      stream.enqueue(new Uint8Array(1 << 16));
      sent += 1 << 16;
    },
  });
  const answer = await handler(
    new Request(ADDRESS, { method: 'POST', headers: { 'x-revalidation-secret': SECRET }, body, duplex: 'half' }),
  );
  assert.equal(answer.status, 413);
  assert.ok(sent < 2 << 20);
});

test('one tag that fails does not fail the others: the batch target reads which', () =>
  quietly(async said => {
    const { handler, failing, tags } = app();
    failing.add('b');
    const answer = await handler(post({ tags: ['a', 'b', 'c'], source: 'queue', requestId: 'msg_1' }));
    assert.equal(answer.status, 207);
    const text = await answer.text();
    const { success, failed_tags, invalidated } = JSON.parse(text);
    assert.deepEqual([success, failed_tags, invalidated], [false, ['b'], 2]);
    assert.ok(!text.includes('no such cache'), "what went wrong is for the app's log");
    assert.match(said[0], /b could not be revalidated: Error: no such cache/);
    assert.deepEqual(tags(), ['a', 'b', 'c']);
  }));

test('the tag target takes any 2xx for success, so it gets a 500 when one of its tags failed', () =>
  quietly(async () => {
    const { handler, failing, tags } = app();
    failing.add('b');
    const several = await handler(post({ tags: ['a', 'b', 'c'] }));
    assert.deepEqual([several.status, (await several.json()).failed_tags, tags()], [500, ['b'], ['a', 'b', 'c']]);
    assert.equal((await handler(post({ tag: 'b' }))).status, 500);
    assert.equal((await handler(post({ tags: ['b'], source: 'queue' }))).status, 500);
  }));

test('the profile that Freshet sends goes to revalidateTag, else that of the options, else { expire: 0 }', async () => {
  const { handler, calls } = app();
  await handler(post({ tag: 'a', profile: 'max' }));
  await handler(post({ tags: ['b', 'c'], profile: { expire: 60 }, source: 'queue', requestId: 'r' }));
  await handler(post({ tag: 'd', profile: null }));
  assert.deepEqual(calls, [
    ['a', 'max'],
    ['b', { expire: 60 }],
    ['c', { expire: 60 }],
    ['d', { expire: 0 }],
  ]);
  const own = app({ profile: 'hours' });
  await own.handler(post({ tag: 'a' }));
  await own.handler(post({ tag: 'b', profile: 'max' }));
  assert.deepEqual(own.calls, [
    ['a', 'hours'],
    ['b', 'max'],
  ]);
});

test('a profile that is neither a name nor an object is refused', async () => {
  const { handler, calls } = app();
  for (const profile of ['', 7, true, ['max'], 'x'.repeat(1025)]) {
    const answer = await handler(post({ tag: 'a', profile }));
    assert.equal(answer.status, 400);
    assert.match((await answer.json()).error, /^profile: must be a name/);
    assert.throws(() => revalidateHandler({ secret: SECRET, profile }), /profile must be a name/);
  }
  assert.deepEqual(calls, []);
});

test('a revalidateTag that returns a promise is waited for', () =>
  quietly(async () => {
    const handler = revalidateHandler({
      secret: SECRET,
      revalidateTag: async () => {
        throw new Error('later');
      },
    });
    assert.equal((await handler(post({ tag: 'a' }))).status, 500);
  }));

test('without a secret it cannot be made, and says what to set', () => {
  for (const options of [undefined, {}, { secret: undefined }, { secret: '' }, { secret: null, key: '' }]) {
    assert.throws(() => revalidateHandler(options), /REVALIDATION_SECRET/);
  }
  assert.throws(() => revalidateHandler({ secret: 7 }), TypeError);
  assert.throws(() => revalidateHandler({ secret: 'whsec_***' }), /base64/);
  assert.throws(() => revalidateHandler({ secret: 'x', revalidateTag: 'y' }), TypeError);
});

test('a secret that is known only at run time can be a function', async () => {
  let secret;
  const { handler, calls } = app({ secret: () => secret });
  assert.equal((await handler(post({ tag: 'a' }))).status, 503);
  assert.equal((await handler(post({ tag: 'a' }, { 'x-revalidation-secret': '' }))).status, 503);
  secret = SECRET;
  assert.equal((await handler(post({ tag: 'a' }))).status, 200);
  assert.equal(calls.length, 1);
});

test('without next/cache it answers 500 and tells the app why', () =>
  quietly(async said => {
    const answer = await revalidateHandler({ secret: SECRET })(post({ tag: 'a' }));
    assert.equal(answer.status, 500);
    assert.match(said[0], /no next\/cache here/);
  }));

test('it needs nothing but what the Edge runtime has', async () => {
  const source = (await readFile(new URL('../revalidate.js', import.meta.url), 'utf8')).replace(
    'export function revalidateHandler',
    'function revalidateHandler',
  );
  const edge = { crypto: webcrypto, TextEncoder, TextDecoder, Request, Response, atob, btoa, console, Date };
  const make = vm.runInNewContext(`${source}; revalidateHandler`, edge);
  const tags = [];
  const handler = make({ secret: WEBHOOK_SECRET, revalidateTag: tag => tags.push(tag) });
  assert.equal((await handler(signed('{"tag":"a"}', { secret: WEBHOOK_SECRET }))).status, 200);
  assert.deepEqual(tags, ['a']);
});
