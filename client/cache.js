import { configure, freshetUrl, fromEnvironment, settings } from './settings.js';

export { configure };

/** Below ten seconds, with room for what the caller does around it. */
const TIMEOUT_MS = 8_000;
const FLAGS = ['products', 'expertSessions', 'moduleContent', 'clientConfigs'];
const IDS = ['clientId', 'productId', 'moduleId'];

/** Freshet said no, or nothing. `status` is the HTTP status, where there was one. */
export class FreshetError extends Error {
  constructor(message, { status, problem, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'FreshetError';
    this.status = status;
    this.problem = problem;
  }
}

export const cacheInvalidation = Object.freeze({
  async invalidateJobReadinessProductsCache(clientId) {
    return clear('products', { clientId: optionalId('clientId', clientId) });
  },
  async invalidateExpertSessionsCache(productId) {
    return clear('expert_sessions', { productId: optionalId('productId', productId) });
  },
  async invalidateClientConfigurationsCache(clientId) {
    return clear('client_configs', { clientId: optionalId('clientId', clientId) });
  },
  async invalidateModuleContentCache(moduleId) {
    return clear('module_content', { moduleId: optionalId('moduleId', moduleId) });
  },
  async invalidatePhase2Cache() {
    return clear('all_phase2');
  },
  async invalidatePhase1Cache() {
    return clear('all_phase1');
  },
  async invalidateRelatedCaches(options) {
    return invalidate(relatedCaches(options));
  },
  async getCacheInvalidationStats() {
    return ask('GET', '/api/admin/cache/stats');
  },
});

export const CacheInvalidationUtils = Object.freeze({
  async onProductCreated(productId, clientId) {
    return happened('onProductCreated', {
      productId: id('productId', productId),
      clientId: optionalId('clientId', clientId),
    });
  },
  async onExpertSessionModified(productId) {
    return happened('onExpertSessionModified', { productId: optionalId('productId', productId) });
  },
  async onModuleContentModified(moduleId) {
    return happened('onModuleContentModified', { moduleId: id('moduleId', moduleId) });
  },
  async onClientConfigModified(clientId) {
    return happened('onClientConfigModified', { clientId: id('clientId', clientId) });
  },
  async onBulkDataImport() {
    return happened('onBulkDataImport');
  },
});

function clear(type, ids) {
  return entries('/api/admin/cache/clear', { type, ...ids });
}

function happened(event, ids) {
  return invalidate({ event, ...ids });
}

function invalidate(body) {
  return entries('/api/cache/invalidate', body);
}

async function entries(path, body) {
  const answer = await ask('POST', path, body);
  if (answer?.success !== true || !Number.isInteger(answer.invalidated_entries)) {
    throw new FreshetError(`POST ${path}: the answer is not Freshet's; does the address lead to it?`);
  }
  return answer.invalidated_entries;
}

function relatedCaches(options) {
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw new TypeError('options: must be an object');
  }
  const body = {};
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null) {
      continue;
    }
    if (FLAGS.includes(name)) {
      if (typeof value !== 'boolean') {
        throw new TypeError(`${name}: must be true or false`);
      }
      body[name] = value;
    } else if (IDS.includes(name)) {
      body[name] = optionalId(name, value);
    } else if (name === 'tags') {
      if (!Array.isArray(value) || !value.every(tag => typeof tag === 'string' && tag !== '')) {
        throw new TypeError('tags: must be an array of non-empty strings');
      }
      body.tags = value;
    } else {
      throw new TypeError(`${name}: not an option; there are ${[...FLAGS, ...IDS, 'tags'].join(', ')}`);
    }
  }
  return body;
}

function id(name, value) {
  const isId = typeof value === 'string' ? value !== '' : Number.isFinite(value);
  if (!isId) {
    throw new TypeError(`${name}: must be a non-empty string or a number`);
  }
  return String(value);
}

/** undefined, null and '' mean all. */
function optionalId(name, value) {
  return value === undefined || value === null || value === '' ? undefined : id(name, value);
}

/** One request, its answer read to the end within timeoutMs. */
async function ask(method, path, body) {
  const { url, key = fromEnvironment(() => process.env.INTERNAL_API_KEY), timeoutMs = TIMEOUT_MS } = settings();
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
