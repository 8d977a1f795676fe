import { ask, FreshetError } from './request.js';

const TIMEOUT_MS = 30_000;
/** Freshet waits 30 s at most; proxies in between often less than a minute. */
const LONGEST_WAIT_MS = 25_000;
/** So that the answer is here before our own time is over. */
const ON_THE_WAY_MS = 50;
const PAUSE_MS = 250;
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Resolves once everything that the transaction of `token` changed has been delivered to every target, or part of it
 * was given up: to the answer's body, { fresh: true } or { fresh: false, given_up: [{ tag, target, error }] }. Rejects
 * for a token that is not known (status 404), and after timeoutMs. A Freshet that is away for a moment is asked again.
 */
export async function waitUntilFresh(token, { timeoutMs = TIMEOUT_MS } = {}) {
  if (typeof token !== 'string' || token === '') {
    throw new TypeError('token: must be what SELECT cache_invalidation_fence() gave');
  }
  if (typeof timeoutMs !== 'number' || !(timeoutMs > 0 && timeoutMs <= LONGEST_TIMER)) {
    throw new TypeError('timeoutMs: must be a number of milliseconds above 0');
  }
  const end = performance.now() + timeoutMs;
  const said = {};
  // what there is no time left for would say less of the trouble than is known
  const least = () => (said.trouble === undefined ? 0 : ON_THE_WAY_MS);
  for (let left = timeoutMs; left > least(); left = end - performance.now()) {
    const answer = await once(token, left);
    if (answer.body?.fresh === true || Array.isArray(answer.body?.given_up)) {
      return answer.body;
    }
    Object.assign(said, answer.said);
    if (answer.pauseMs !== undefined) {
      await new Promise(resolve => setTimeout(resolve, Math.max(0, Math.min(answer.pauseMs, end - performance.now()))));
    }
  }
  throw new FreshetError(`not fresh within ${timeoutMs} ms: ${said.outstanding ?? said.trouble ?? 'no answer'}`);
}

async function once(token, left) {
  const wait = Math.max(0, Math.floor(Math.min(LONGEST_WAIT_MS, left - ON_THE_WAY_MS)));
  try {
    const body = await ask('GET', `/api/fresh?after=${encodeURIComponent(token)}&wait=${wait}ms`, undefined, {
      timeoutMs: left,
    });
    if (body?.fresh !== true && !Array.isArray(body?.given_up) && !Number.isInteger(body?.outstanding)) {
      throw new FreshetError("GET /api/fresh: the answer is not Freshet's; does the address lead to it?", {
        status: 200,
      });
    }
    return { body, said: { outstanding: `${body.outstanding} outstanding` } };
  } catch (error) {
    const mayPass =
      error instanceof FreshetError && (error.status === undefined || error.status === 429 || error.status >= 500);
    if (!mayPass) {
      throw error;
    }
    return { said: { trouble: error.message }, pauseMs: PAUSE_MS };
  }
}
