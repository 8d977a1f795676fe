import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { after, before, test } from 'node:test';

/**
 * docs/migrate-from-cache-utils.md as written: its marked blocks, in their order, as modules of an app that has
 * installed the package.
 */
const text = await readFile(new URL('../../docs/migrate-from-cache-utils.md', import.meta.url), 'utf8');
const blocks = new Map(
  [...text.matchAll(/<!-- run: (\S+) -->\s*```js\n(.*?)```/gs)].map(([, name, code]) => [name, code]),
);
const skip = process.env.FRESHET_URL === undefined && 'FRESHET_URL is not set: needs a running Freshet';

// the app's own modules: the package, and Next.js
const revalidated = [];
globalThis.revalidated = (...given) => revalidated.push(given);
const modules = {
  'next/cache': 'data:text/javascript,export const revalidateTag = (...given) => globalThis.revalidated(...given);',
  ...Object.fromEntries(
    ['', '/cache', '/live', '/revalidate'].map(entry => [
      `freshet-client${entry}`,
      import.meta.resolve(`freshet-client${entry}`),
    ]),
  ),
};
register(
  `data:text/javascript,${encodeURIComponent(`
  const modules = ${JSON.stringify(modules)};
  export const resolve = (name, context, next) =>
    Object.hasOwn(modules, name) ? { url: modules[name], shortCircuit: true } : next(name, context);
`)}`,
);

const ran = new Set();
const said = [];
const { log } = console;

before(() => {
  console.log = line => said.push(line);
});
after(() => {
  console.log = log;
});

/** `await call(); // expect: value` is held to it. */
function run(name) {
  ran.add(name);
  const code = blocks.get(name).replace(/^await (.*); +\/\/ expect: (.*)$/gm, 'globalThis.expect(await $1, $2);');
  return import(`data:text/javascript,${encodeURIComponent(`${code}\n// ${name}`)}`);
}

let expected = 0;
globalThis.expect = (actual, wanted) => {
  assert.deepEqual(actual, wanted);
  expected++;
};

const post = (url, body, headers) =>
  new Request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

test('step 2: the routes revalidate what Freshet sends, and the checks pass', { skip }, async () => {
  const route = await run('revalidate-route');
  assert.equal(
    (
      await route.POST(
        post(
          'https://app.example/api/revalidate',
          { tag: 'a' },
          { 'x-revalidation-secret': process.env.REVALIDATION_SECRET },
        ),
      )
    ).status,
    200,
  );
  const batch = await run('batch-route');
  const sent = { tags: ['b', 'c'], source: 'job-admin', requestId: 'r' };
  assert.equal(
    (await batch.POST(post('https://app.example/x', sent, { authorization: `Bearer ${process.env.INTERNAL_API_KEY}` })))
      .status,
    200,
  );
  assert.equal((await batch.POST(post('https://app.example/x', sent, {}))).status, 401);
  assert.deepEqual(
    revalidated,
    ['a', 'b', 'c'].map(tag => [tag, { expire: 0 }]),
  );
  await run('check');
  assert.ok(Number.isInteger(said.at(-1)));
  await run('check-tag');
});

for (const name of ['products', 'expert-sessions', 'client-configs', 'module-content', 'phases', 'related', 'events']) {
  test(`step 3: ${name}`, { skip }, () => run(name));
}

test('step 3: stats', { skip }, async () => {
  await run('stats');
  assert.match(said.at(-2), /^\d+ entries, [\d.]+ % hits: (excellent|good|needs_improvement)$/);
  assert.match(said.at(-1), /^\d+ expired: (high|normal)$/);
});

test('step 3: a route that saves and tells', { skip }, async () => {
  globalThis.saveProduct = async product => ({ id: 'product-1', ...product });
  const { POST } = await run('create-product');
  const answer = await POST(post('https://app.example/api/products', { clientId: 'client-1' }));
  assert.deepEqual([answer.status, await answer.json()], [201, { id: 'product-1', clientId: 'client-1' }]);
});

test('step 4: over HTTP, and through the app', { skip }, async () => {
  await run('http');
  assert.equal(said.at(-1).success, true);
  assert.equal(said.at(-1).cache_type, 'products');
  const { POST } = await run('admin-route');
  for (const type of ['products', 'expert_sessions', 'client_configs', 'module_content', 'all_phase2', 'all_phase1']) {
    const answer = await POST(post('https://app.example/api/admin/cache/clear', { type }));
    const { success, cache_type, invalidated_entries } = await answer.json();
    assert.deepEqual(
      [answer.status, success, cache_type, Number.isInteger(invalidated_entries)],
      [200, true, type, true],
    );
  }
  for (const type of ['everything', 'constructor', undefined]) {
    const unknown = await POST(post('https://app.example/api/admin/cache/clear', { type }));
    assert.deepEqual([unknown.status, await unknown.json()], [400, { error: 'Invalid cache type' }]);
  }
  assert.equal(
    (await POST(post('https://app.example/api/admin/cache/clear', { type: 'products', clientId: {} }))).status,
    400,
  );
});

test('step 5: an entry of the registry', { skip }, async () => {
  await run('registry');
  assert.deepEqual(said.slice(-2), [12, 404]);
  assert.equal(expected, 1);
});

test('every marked block was run', { skip }, () => {
  assert.deepEqual([...ran].sort(), [...blocks.keys()].sort());
});
