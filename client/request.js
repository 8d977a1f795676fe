import { freshetUrl, fromEnvironment, settings } from './settings.js';

/** Below ten seconds, with room for what the caller does around it. */
const TIMEOUT_MS = 8_000;

/** Freshet said no, or nothing. `status` is the HTTP status, where there was one. */
export class FreshetError extends Error {
  constructor(message, { status, problem, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'FreshetError';
    this.status = status;
    this.problem = problem;
  }
}

/** One request, its answer read to the end within timeoutMs. `own` stands above what configure() was told. */
export async function ask(method, path, body, own) {
  const { url, key = fromEnvironment(() => process.env.INTERNAL_API_KEY), timeoutMs = TIMEOUT_MS } = settings(own);
  const base = freshetUrl(url);
  const what = `${method} ${base}${path}`;
  const sent = headers(key, body !== undefined);
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  try {
    const response = await fetch(base + path, {
      method,
      headers: sent,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: abort.signal,
      // Next.js would keep the answer; and what follows a redirect, a login page's 200, is no success
      cache: 'no-store',
      redirect: 'manual',
    });
    return read(response, await response.text(), what, key);
  } catch (error) {
    if (error instanceof FreshetError) {
      throw error;
    }
    if (abort.signal.aborted) {
      throw new FreshetError(`${what}: no answer within ${timeoutMs} ms`);
    }
    const reason = error?.cause?.code ?? error?.cause?.message ?? error?.message ?? 'unknown';
    throw new FreshetError(withoutKey(`${what}: Freshet cannot be reached (${reason})`, key));
  } finally {
    clearTimeout(timer);
  }
}

function read(response, text, what, key) {
  const json = parsed(text);
  if (response.ok && json !== undefined) {
    return json;
  }
  if (response.ok) {
    throw new FreshetError(`${what}: the answer is not JSON; does the address lead to Freshet?`, {
      status: response.status,
    });
  }
  if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
    throw new FreshetError(`${what}: answered with a redirect; does the address lead to Freshet?`, {
      status: response.status,
    });
  }
  const said = [json?.detail, json?.error, json?.message].find(part => typeof part === 'string' && part !== '');
  const problem = said === undefined ? undefined : withoutKey(said.slice(0, 1_000), key);
  throw new FreshetError(`${what}: HTTP ${response.status}${problem === undefined ? '' : `: ${problem}`}`, {
    status: response.status,
    problem,
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function headers(key, hasBody) {
  const sent = { accept: 'application/json' };
  if (hasBody) {
    sent['content-type'] = 'application/json';
  }
  if (key !== undefined) {
    // fetch would quote a key that it cannot send in its error
    if (/[\x00-\x1f\x7f]/.test(key.trim())) {
      throw new TypeError('INTERNAL_API_KEY: holds a character that no HTTP header can carry');
    }
    sent.authorization = `Bearer ${String.fromCharCode(...new TextEncoder().encode(key.trim()))}`;
  }
  return sent;
}

function withoutKey(text, key) {
  return key === undefined ? text : text.split(key).join('***');
}
