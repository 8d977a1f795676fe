export { cacheInvalidation, CacheInvalidationUtils, FreshetError } from './cache.js';
export type { CacheInvalidationStats, Id, RelatedCaches } from './cache.js';
export { BroadcastCacheManager, broadcastCacheManager } from './live.js';
export type { CacheStats, ChangeCallback, ChangePayload } from './live.js';
export { revalidateHandler } from './revalidate.js';
export type { RevalidateOptions } from './revalidate.js';
export { configure } from './settings.js';
export type { FreshetOptions } from './settings.js';
