import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, test } from 'node:test';
import { FreshetError, configure, waitUntilFresh } from '../index.js';
import { answers, json } from './support/answers.mjs';

const TOKEN = '7-00112233aabbccdd-00112233445566778899aabbccddeeff';
const environment = { ...process.env };
let freshet;
let script;

beforeEach(async () => {
  freshet = await answers(response => script(response, freshet.requests.length));
  process.env.FRESHET_URL = freshet.url;
  process.env.INTERNAL_API_KEY = 'a-secret-key-4f1c';
});

afterEach(async () => {
  configure({ url: undefined, key: undefined });
  await freshet.close();
});

after(() => Object.assign(process.env, environment));

const outstanding = response => json(response, 202, { fresh: false, outstanding: 3 });

test('it resolves to the body of the answer, fresh or given up', async () => {
  script = response => json(response, 200, { fresh: true });
  assert.deepEqual(await waitUntilFresh(TOKEN), { fresh: true });
  const [{ path, headers }] = freshet.requests;
  assert.equal(path, `/api/fresh?after=${TOKEN}&wait=25000ms`);
  assert.equal(headers.authorization, 'Bearer a-secret-key-4f1c');
  const givenUp = { fresh: false, given_up: [{ tag: 'a', target: 'tag', error: 'HTTP 400' }] };
  script = response => json(response, 200, givenUp);
  assert.deepEqual(await waitUntilFresh(TOKEN, { timeoutMs: 1_000 }), givenUp);
  assert.match(freshet.requests.at(-1).path, /&wait=9\d\dms$/);
});

test('it asks again while something is outstanding, and while Freshet is away', async () => {
  script = (response, times) => {
    if (times === 1) {
      response.socket.destroy();
    } else if (times === 2) {
      json(response, 503, { error: 'Freshet is stopping; ask again' });
    } else if (times < 5) {
      outstanding(response);
    } else {
      json(response, 200, { fresh: true });
    }
  };
  assert.deepEqual(await waitUntilFresh(TOKEN), { fresh: true });
  assert.equal(freshet.requests.length, 5);
});

test('it rejects for a token that nobody gave, and for a key that is refused', async () => {
  for (const status of [404, 401, 403, 400]) {
    script = response => json(response, status, { error: 'after: no such token' });
    await assert.rejects(
      waitUntilFresh(TOKEN),
      error => error instanceof FreshetError && error.status === status && /no such token/.test(error.message),
    );
  }
  script = response => json(response, 200, { hello: 'world' });
  await assert.rejects(waitUntilFresh(TOKEN), /not Freshet's/);
  assert.equal(freshet.requests.length, 5);
});

test('it rejects after timeoutMs with what was outstanding', async () => {
  script = outstanding;
  await assert.rejects(waitUntilFresh(TOKEN, { timeoutMs: 300 }), /not fresh within 300 ms: 3 outstanding/);
  script = () => undefined;
  await assert.rejects(waitUntilFresh(TOKEN, { timeoutMs: 300 }), /not fresh within 300 ms/);
  await freshet.close();
  await assert.rejects(waitUntilFresh(TOKEN, { timeoutMs: 300 }), /not fresh within 300 ms: .*cannot be reached/);
});

test('it says what is wrong with its arguments', async () => {
  for (const token of [undefined, null, '', 7]) {
    await assert.rejects(waitUntilFresh(token), /token: must be/);
  }
  for (const timeoutMs of [0, -1, Number.NaN, '5', Infinity]) {
    await assert.rejects(waitUntilFresh(TOKEN, { timeoutMs }), /timeoutMs: must be/);
  }
  assert.equal(freshet.requests.length, 0);
});
