/**
 * All but the React hooks, which are freshet-client/react: an app without React, or a server component, can import
 * this.
 */
export { cacheInvalidation, CacheInvalidationUtils, FreshetError } from './cache.js';
export { waitUntilFresh } from './fence.js';
export { BroadcastCacheManager, broadcastCacheManager } from './live.js';
export { revalidateHandler } from './revalidate.js';
export { configure } from './settings.js';
export { tagFor } from './tags.js';
