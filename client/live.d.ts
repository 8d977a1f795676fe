import { FreshetOptions } from './settings.js';

export { configure } from './settings.js';

export interface ChangePayload {
  type: 'art_updated' | 'vote_cast' | 'bid_placed' | 'media_updated' | 'manual_invalidation' | 'reset' | (string & {});
  event_eid: string;
  /** What to fetch again. */
  endpoints: string[];
  /** Milliseconds. */
  timestamp: number;
  art_id?: string | number;
  artwork_id?: string | number;
  round?: number;
  easel?: number;
  amount?: number;
  [name: string]: unknown;
}

export type ChangeCallback = (payload: ChangePayload) => unknown;

export interface CacheStats {
  totalEntries: number;
  validEntries: number;
  expiredEntries: number;
  invalidatedEntries: number;
  /** Events. */
  subscriptions: number;
  /** Callbacks of all events. */
  eventListeners: number;
}

export declare class BroadcastCacheManager {
  /** @param options as configure() takes them, for this one only */
  constructor(options?: FreshetOptions);
  /** Returns what ends this subscription. */
  subscribeToEvent(eid: string, callback: ChangeCallback): () => void;
  /** Without a callback: all of the event's. */
  unsubscribeFromEvent(eid: string, callback?: ChangeCallback): void;
  /** @param ttl milliseconds; default five minutes */
  cacheEndpointData(endpoint: string, data: unknown, ttl?: number): void;
  /** null when there are none, or they are too old or invalidated. */
  getCachedData<T = any>(endpoint: string): T | null;
  /** In this page only. True if there were valid data. */
  invalidateEndpoint(endpoint: string): boolean;
  clearEventCache(eid: string): void;
  getCacheStats(): CacheStats;
  setDebugMode(enabled: boolean): void;
  /** To be given to keepFetched() with what a fetch brought that began now. */
  beforeFetch(): number;
  /** As cacheEndpointData(); false, and not kept, if it was overtaken by a change while it was fetched. */
  keepFetched(endpoint: string, data: unknown, options?: { ttl?: number; eid?: string; since?: number }): boolean;
}

export declare const broadcastCacheManager: BroadcastCacheManager;
