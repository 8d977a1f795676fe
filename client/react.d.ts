import { ChangePayload } from './live.js';

/**
 * Several changes as one: `type` is theirs if they have the same, 'reset' if one of them is, otherwise 'multiple';
 * `endpoints` are those of all.
 */
export interface Invalidation extends ChangePayload {
  events: ChangePayload[];
}

export interface BroadcastCacheOptions {
  /** true: what comes within refreshDelay of the first change is one call. false: each change is one. Default: true. */
  autoRefresh?: boolean;
  /** Milliseconds. Default: 1000. */
  refreshDelay?: number;
  /** Console lines, from then on. Default: false. */
  debugMode?: boolean;
}

export function useBroadcastCache(
  eid: string | null | undefined,
  onInvalidation: ((invalidation: Invalidation) => unknown) | null | undefined,
  options?: BroadcastCacheOptions,
): void;

export interface CachedFetchOptions extends RequestInit {
  /** Milliseconds. Default: five minutes. */
  ttl?: number;
}

export interface CachedFetch<T> {
  /** Always over the network; keeps what it brings. */
  fetchData(): Promise<T>;
  /** What is kept, or else over the network; those who ask at the same time share one request. */
  getCachedOrFetch(): Promise<T>;
  /** What is kept, or null. */
  getCachedData(): T | null;
}

export function useCachedFetch<T = any>(url: string, eid?: string | null, options?: CachedFetchOptions): CachedFetch<T>;
