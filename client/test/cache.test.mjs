import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, afterEach, beforeEach, test } from 'node:test';
import { CacheInvalidationUtils, FreshetError, cacheInvalidation, configure } from '../cache.js';
import { answers, json } from './support/answers.mjs';

const KEY = 'a-secret-key-4f1c';
let freshet;
let answer;
const environment = { ...process.env };

beforeEach(async () => {
  answer = response => json(response, 200, { success: true, invalidated_entries: 7 });
  freshet = await answers((...all) => answer(...all));
  process.env.FRESHET_URL = freshet.url;
  process.env.INTERNAL_API_KEY = KEY;
});

afterEach(async () => {
  configure({ url: undefined, key: undefined, timeoutMs: undefined });
  delete globalThis.location;
  await freshet.close();
});

after(() => {
  Object.assign(process.env, environment);
});

const clear = '/api/admin/cache/clear';
const invalidate = '/api/cache/invalidate';
const calls = [
  [
    'invalidateJobReadinessProductsCache',
    () => cacheInvalidation.invalidateJobReadinessProductsCache(),
    clear,
    { type: 'products' },
  ],
  [
    'invalidateJobReadinessProductsCache with an id',
    () => cacheInvalidation.invalidateJobReadinessProductsCache('c-1'),
    clear,
    { type: 'products', clientId: 'c-1' },
  ],
  [
    'invalidateExpertSessionsCache',
    () => cacheInvalidation.invalidateExpertSessionsCache(12),
    clear,
    { type: 'expert_sessions', productId: '12' },
  ],
  [
    'invalidateClientConfigurationsCache',
    () => cacheInvalidation.invalidateClientConfigurationsCache(null),
    clear,
    { type: 'client_configs' },
  ],
  [
    'invalidateModuleContentCache',
    () => cacheInvalidation.invalidateModuleContentCache('m'),
    clear,
    { type: 'module_content', moduleId: 'm' },
  ],
  ['invalidatePhase2Cache', () => cacheInvalidation.invalidatePhase2Cache(), clear, { type: 'all_phase2' }],
  ['invalidatePhase1Cache', () => cacheInvalidation.invalidatePhase1Cache(), clear, { type: 'all_phase1' }],
  [
    'invalidateRelatedCaches',
    () =>
      cacheInvalidation.invalidateRelatedCaches({
        products: true,
        moduleContent: false,
        clientId: 3,
        productId: undefined,
      }),
    invalidate,
    { products: true, moduleContent: false, clientId: '3' },
  ],
  [
    'invalidateRelatedCaches with tags',
    () => cacheInvalidation.invalidateRelatedCaches({ tags: ['a', 'b'] }),
    invalidate,
    { tags: ['a', 'b'] },
  ],
  [
    'onProductCreated',
    () => CacheInvalidationUtils.onProductCreated('p', 'c'),
    invalidate,
    { event: 'onProductCreated', productId: 'p', clientId: 'c' },
  ],
  [
    'onProductCreated without a client',
    () => CacheInvalidationUtils.onProductCreated(0),
    invalidate,
    { event: 'onProductCreated', productId: '0' },
  ],
  [
    'onExpertSessionModified',
    () => CacheInvalidationUtils.onExpertSessionModified(),
    invalidate,
    { event: 'onExpertSessionModified' },
  ],
  [
    'onModuleContentModified',
    () => CacheInvalidationUtils.onModuleContentModified('m'),
    invalidate,
    { event: 'onModuleContentModified', moduleId: 'm' },
  ],
  [
    'onClientConfigModified',
    () => CacheInvalidationUtils.onClientConfigModified('c'),
    invalidate,
    { event: 'onClientConfigModified', clientId: 'c' },
  ],
  [
    'invalidateJobReadinessProductsCache with an empty id',
    () => cacheInvalidation.invalidateJobReadinessProductsCache(''),
    clear,
    { type: 'products' },
  ],
  [
    'invalidateRelatedCaches with an empty id',
    () => cacheInvalidation.invalidateRelatedCaches({ products: true, clientId: '' }),
    invalidate,
    { products: true },
  ],
  [
    'onProductCreated with an empty client',
    () => CacheInvalidationUtils.onProductCreated('p', ''),
    invalidate,
    { event: 'onProductCreated', productId: 'p' },
  ],
  ['onBulkDataImport', () => CacheInvalidationUtils.onBulkDataImport(), invalidate, { event: 'onBulkDataImport' }],
];

for (const options of [{}, { products: false, clientConfigs: false }, { clientId: 'c' }, { tags: [] }]) {
  test(`invalidateRelatedCaches of nothing, ${JSON.stringify(options)}, invalidates nothing`, async () => {
    assert.equal(await cacheInvalidation.invalidateRelatedCaches(options), 0);
    assert.deepEqual(freshet.requests, []);
  });
}

for (const [name, call, path, body] of calls) {
  test(`${name} is one request and resolves to the number of entries`, async () => {
    assert.equal(await call(), 7);
    assert.equal(freshet.requests.length, 1);
    const [request] = freshet.requests;
    assert.deepEqual([request.method, request.path, request.body], ['POST', path, body]);
    assert.equal(request.headers.authorization, `Bearer ${KEY}`);
    assert.equal(request.headers['content-type'], 'application/json');
  });
}

test('methods work when they are taken out of their object', async () => {
  const { invalidatePhase2Cache } = cacheInvalidation;
  const { onBulkDataImport } = CacheInvalidationUtils;
  assert.deepEqual([await invalidatePhase2Cache(), await onBulkDataImport()], [7, 7]);
});

test('stats are given as Freshet gives them', async () => {
  const stats = {
    cache_stats: { totalEntries: 3, hitRate: 50 },
    recommendations: { hit_rate_status: 'needs_improvement' },
  };
  answer = response => json(response, 200, stats);
  assert.deepEqual(await cacheInvalidation.getCacheInvalidationStats(), stats);
  assert.deepEqual(
    [freshet.requests[0].method, freshet.requests[0].path, freshet.requests[0].body],
    ['GET', '/api/admin/cache/stats', undefined],
  );
});

for (const [name, call] of [
  ['productId', () => CacheInvalidationUtils.onProductCreated()],
  ['productId', () => CacheInvalidationUtils.onProductCreated('')],
  ['productId', () => CacheInvalidationUtils.onProductCreated({ id: 1 })],
  ['clientId', () => CacheInvalidationUtils.onProductCreated('p', ['c'])],
  ['moduleId', () => CacheInvalidationUtils.onModuleContentModified(NaN)],
  ['clientId', () => CacheInvalidationUtils.onClientConfigModified(null)],
  ['productId', () => CacheInvalidationUtils.onExpertSessionModified(true)],
  ['clientId', () => cacheInvalidation.invalidateJobReadinessProductsCache({})],
  ['products', () => cacheInvalidation.invalidateRelatedCaches({ products: 'yes' })],
  ['product', () => cacheInvalidation.invalidateRelatedCaches({ product: true })],
  ['tags', () => cacheInvalidation.invalidateRelatedCaches({ tags: 'a' })],
  ['options', () => cacheInvalidation.invalidateRelatedCaches()],
]) {
  test(`a wrong ${name} is a TypeError that names it, before anything is sent: ${call}`, async () => {
    await assert.rejects(call, error => error instanceof TypeError && error.message.startsWith(`${name}:`));
    assert.equal(freshet.requests.length, 0);
  });
}

test('what Freshet refuses is an error with its status and its reason', async () => {
  answer = response => json(response, 400, { error: 'Invalid cache type', detail: 'type: unknown' });
  await assert.rejects(cacheInvalidation.invalidatePhase1Cache(), error => {
    assert.ok(error instanceof FreshetError && error instanceof Error);
    assert.deepEqual([error.status, error.problem], [400, 'type: unknown']);
    assert.match(error.message, /POST http:\/\/127\.0\.0\.1:\d+\/api\/admin\/cache\/clear: HTTP 400: type: unknown/);
    return true;
  });
  answer = response => response.writeHead(503, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>');
  await assert.rejects(
    cacheInvalidation.invalidatePhase1Cache(),
    error => error.status === 503 && error.problem === undefined && !error.message.includes('<'),
  );
});

test('no message holds the key, also where the answer does', async () => {
  answer = (response, request) => json(response, 401, { error: `not the key: ${request.headers.authorization}` });
  await assert.rejects(
    cacheInvalidation.invalidatePhase1Cache(),
    error => error.problem === 'not the key: Bearer ***' && !JSON.stringify([error.message, error.stack]).includes(KEY),
  );
  process.env.INTERNAL_API_KEY = `${KEY}\nx`;
  await assert.rejects(
    cacheInvalidation.invalidatePhase1Cache(),
    error => error instanceof TypeError && !JSON.stringify([error.message, error.stack]).includes(KEY),
  );
  assert.throws(
    () => configure({ url: `http://freshet:${KEY}@localhost` }),
    error => !error.message.includes(KEY),
  );
});

test('a key with a line end from a file, or beyond ASCII, arrives as it is meant', async () => {
  process.env.INTERNAL_API_KEY = 'kéy\n';
  await cacheInvalidation.invalidatePhase1Cache();
  assert.equal(Buffer.from(freshet.requests[0].headers.authorization, 'latin1').toString(), 'Bearer kéy');
});

test("a 200 that is not Freshet's, and a redirect to one, are no success", async () => {
  const other = await answers(response => json(response, 200, { success: true, invalidated_entries: 1 }));
  for (const respond of [
    response => response.writeHead(200, { 'content-type': 'text/html' }).end('<form>Log in</form>'),
    response => json(response, 200, { ok: true }),
    response => json(response, 200, null),
    response => json(response, 200, { success: false, invalidated_entries: 0 }),
    response => response.writeHead(302, { location: `${other.url}/login` }).end(),
    response => response.writeHead(307, { location: `${other.url}/login` }).end(),
  ]) {
    answer = respond;
    await assert.rejects(cacheInvalidation.invalidatePhase1Cache(), {
      name: 'FreshetError',
      message: /does the address lead to/,
    });
  }
  assert.equal(other.requests.length, 0);
  await other.close();
});

test('where nobody listens it says so', async () => {
  const port = await freePort();
  configure({ url: `http://127.0.0.1:${port}/` });
  await assert.rejects(cacheInvalidation.invalidatePhase1Cache(), {
    name: 'FreshetError',
    message: `POST http://127.0.0.1:${port}/api/admin/cache/clear: Freshet cannot be reached (ECONNREFUSED)`,
  });
});

for (const [what, respond] of [
  ['no answer', () => {}],
  ['half an answer', response => response.writeHead(200, { 'content-type': 'application/json' }).write('{"success":')],
]) {
  test(`${what} ends by timeoutMs`, async () => {
    answer = respond;
    configure({ timeoutMs: 50 });
    await assert.rejects(cacheInvalidation.invalidatePhase1Cache(), {
      name: 'FreshetError',
      message: /no answer within 50 ms/,
    });
  });
}

test('the default ends within ten seconds, also where a host swallows everything', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  answer = () => {};
  let ended = false;
  const call = assert
    .rejects(cacheInvalidation.invalidatePhase1Cache(), { message: /no answer within 8000 ms/ })
    .then(() => {
      ended = true;
    });
  t.mock.timers.tick(7_999);
  await new Promise(resolve => setImmediate(resolve));
  assert.equal(ended, false);
  t.mock.timers.tick(1);
  await call;
});

test('configure wins over the environment, a page is asked at its own origin, and nothing known is said', async () => {
  process.env.FRESHET_URL = 'http://127.0.0.1:1';
  configure({ url: `${freshet.url}/behind/a/path//`, key: 'other' });
  await cacheInvalidation.invalidatePhase1Cache();
  assert.deepEqual(
    [freshet.requests[0].path, freshet.requests[0].headers.authorization],
    ['/behind/a/path/api/admin/cache/clear', 'Bearer other'],
  );

  configure({ url: undefined, key: undefined });
  delete process.env.FRESHET_URL;
  delete process.env.INTERNAL_API_KEY;
  globalThis.location = { origin: freshet.url };
  await cacheInvalidation.invalidatePhase1Cache();
  assert.equal(freshet.requests[1].headers.authorization, undefined);

  globalThis.location = { origin: 'null' };
  await assert.rejects(cacheInvalidation.invalidatePhase1Cache(), {
    message: 'Where is Freshet? Set FRESHET_URL, or call configure({ url })',
  });
  process.env.FRESHET_URL = 'freshet.example';
  await assert.rejects(cacheInvalidation.invalidatePhase1Cache(), { name: 'TypeError', message: /^FRESHET_URL: / });
});

test("where there is no process, as on edge runtimes, the page's origin is asked", async () => {
  const { process } = globalThis;
  globalThis.location = { origin: freshet.url };
  try {
    delete globalThis.process;
    assert.equal(await cacheInvalidation.invalidatePhase1Cache(), 7);
  } finally {
    globalThis.process = process;
  }
});

test('a wrong option is refused by name', () => {
  for (const [options, name] of [
    [{ timeout: 1 }, 'timeout'],
    [{ timeoutMs: 0 }, 'timeoutMs'],
    [{ timeoutMs: Infinity }, 'timeoutMs'],
    [{ url: 'ftp://x' }, 'url'],
    [{ key: '' }, 'key'],
    [{ liveKey: 1 }, 'liveKey'],
    [{ EventSource: {} }, 'EventSource'],
    [{ timings: { pollMs: 0 } }, 'timings.pollMs'],
  ]) {
    assert.throws(
      () => configure(options),
      error => error instanceof TypeError && error.message.startsWith(`${name}:`),
      name,
    );
  }
});

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
