import { ask, FreshetError } from './request.js';
import { configure } from './settings.js';

export { configure, FreshetError };

const FLAGS = ['products', 'expertSessions', 'moduleContent', 'clientConfigs'];
const IDS = ['clientId', 'productId', 'moduleId'];

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
    const asked = relatedCaches(options);
    return asked.tags?.length || FLAGS.some(flag => asked[flag]) ? invalidate(asked) : 0;
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
