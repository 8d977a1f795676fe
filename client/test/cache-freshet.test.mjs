import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, test } from 'node:test';
import { CacheInvalidationUtils, cacheInvalidation, configure } from '../index.js';
import { eventually } from './support/eventually.mjs';

const { FRESHET_URL, INTERNAL_API_KEY, NEXT_APP_URL } = process.env;
const skip = FRESHET_URL === undefined && 'FRESHET_URL is not set: needs a running Freshet';

const TAGS = [
  'job_readiness_products',
  'products',
  'client:c9',
  'expert_sessions',
  'job_readiness',
  'product:p9',
  'client_configs',
  'clients',
  'settings',
  'module_content',
  'modules',
  'lessons',
  'module:m9',
  'users',
  'analytics',
  'dashboard',
  'unrelated',
];
const PHASE2 = ['job_readiness_products', 'expert_sessions', 'client_configs', 'module_content'];
const PRODUCTS = ['job_readiness_products', 'products'];
const SESSIONS = ['expert_sessions', 'job_readiness'];
const CONFIGS = ['client_configs', 'clients', 'settings'];
const MODULES = ['module_content', 'modules', 'lessons'];

async function entry(method, key, body) {
  const response = await fetch(`${FRESHET_URL}/api/cache/entries/${encodeURIComponent(key)}`, {
    method,
    headers: { authorization: `Bearer ${INTERNAL_API_KEY}`, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  await response.text();
  return response.status;
}

const keyOf = tag => `page/${tag}?ü`;

beforeEach(async () => {
  for (const tag of skip ? [] : TAGS) {
    assert.equal(
      await entry('PUT', keyOf(tag), { value: { tag }, tags: [tag, 'of-this-test'], ttl_seconds: 600 }),
      204,
    );
  }
});

afterEach(() => configure({ url: undefined, key: undefined }));
after(() => skip || cacheInvalidation.invalidateRelatedCaches({ tags: ['of-this-test'] }));

for (const [name, call, tags] of [
  ['invalidateJobReadinessProductsCache()', () => cacheInvalidation.invalidateJobReadinessProductsCache(), PRODUCTS],
  [
    "invalidateJobReadinessProductsCache('c9')",
    () => cacheInvalidation.invalidateJobReadinessProductsCache('c9'),
    [...PRODUCTS, 'client:c9'],
  ],
  [
    "invalidateExpertSessionsCache('p9')",
    () => cacheInvalidation.invalidateExpertSessionsCache('p9'),
    [...SESSIONS, 'product:p9'],
  ],
  [
    "invalidateClientConfigurationsCache('c9')",
    () => cacheInvalidation.invalidateClientConfigurationsCache('c9'),
    [...CONFIGS, 'client:c9'],
  ],
  [
    "invalidateModuleContentCache('m9')",
    () => cacheInvalidation.invalidateModuleContentCache('m9'),
    [...MODULES, 'module:m9'],
  ],
  ['invalidatePhase2Cache()', () => cacheInvalidation.invalidatePhase2Cache(), PHASE2],
  [
    'invalidatePhase1Cache()',
    () => cacheInvalidation.invalidatePhase1Cache(),
    ['users', 'clients', 'analytics', 'dashboard'],
  ],
  [
    'invalidateRelatedCaches of two',
    () =>
      cacheInvalidation.invalidateRelatedCaches({
        products: true,
        moduleContent: true,
        clientConfigs: false,
        clientId: 'c9',
        moduleId: 'm9',
      }),
    [...PRODUCTS, ...MODULES, 'client:c9', 'module:m9'],
  ],
  [
    'invalidateRelatedCaches of tags',
    () => cacheInvalidation.invalidateRelatedCaches({ tags: ['unrelated', 'lessons'] }),
    ['unrelated', 'lessons'],
  ],
  [
    "onProductCreated('p9', 'c9')",
    () => CacheInvalidationUtils.onProductCreated('p9', 'c9'),
    [...PRODUCTS, ...CONFIGS, 'product:p9', 'client:c9'],
  ],
  [
    "onProductCreated('p9')",
    () => CacheInvalidationUtils.onProductCreated('p9'),
    [...PRODUCTS, ...CONFIGS, 'product:p9'],
  ],
  [
    "onExpertSessionModified('p9')",
    () => CacheInvalidationUtils.onExpertSessionModified('p9'),
    [...SESSIONS, 'product:p9'],
  ],
  [
    "onModuleContentModified('m9')",
    () => CacheInvalidationUtils.onModuleContentModified('m9'),
    [...MODULES, 'module:m9'],
  ],
  [
    "onClientConfigModified('c9')",
    () => CacheInvalidationUtils.onClientConfigModified('c9'),
    [...PRODUCTS, ...CONFIGS, 'client:c9'],
  ],
  ['onBulkDataImport()', () => CacheInvalidationUtils.onBulkDataImport(), PHASE2],
]) {
  test(`${name} invalidates what its rule says and tells how many`, { skip }, async () => {
    assert.equal(await call(), tags.length);
    for (const tag of TAGS) {
      assert.equal(await entry('GET', keyOf(tag)), tags.includes(tag) ? 404 : 200, tag);
    }
    assert.equal(await call(), 0);
  });
}

test(
  'the tags go on to the app',
  { skip: skip || (NEXT_APP_URL === undefined && 'NEXT_APP_URL is not set') },
  async () => {
    const productId = `p${process.pid}`;
    await CacheInvalidationUtils.onProductCreated(productId);
    await eventually(
      async () =>
        (await (await fetch(`${NEXT_APP_URL}/told`)).json()).some(({ tag }) => tag === `product:${productId}`),
      'told',
    );
  },
);

test('stats have what the old ones had', { skip }, async () => {
  const { cache_stats, recommendations } = await cacheInvalidation.getCacheInvalidationStats();
  assert.ok(cache_stats.totalEntries >= TAGS.length);
  assert.ok(cache_stats.hitRate >= 0 && cache_stats.hitRate <= 100);
  for (const name of ['expiredEntries', 'oldestEntry', 'newestEntry']) {
    assert.ok(name in cache_stats, name);
  }
  assert.ok(['excellent', 'good', 'needs_improvement'].includes(recommendations.hit_rate_status));
  assert.ok(['high', 'normal'].includes(recommendations.expired_entries_status));
});

test('a wrong key is a 401 that does not repeat it', { skip }, async () => {
  configure({ key: 'wrong-key-8a8a' });
  await assert.rejects(
    cacheInvalidation.invalidatePhase1Cache(),
    error => error.status === 401 && error.problem.includes('key') && !error.stack.includes('8a8a'),
  );
});
