export { configure } from './settings.js';

export type Id = string | number;

export interface RelatedCaches {
  products?: boolean;
  expertSessions?: boolean;
  moduleContent?: boolean;
  clientConfigs?: boolean;
  clientId?: Id | null;
  productId?: Id | null;
  moduleId?: Id | null;
}

export interface CacheInvalidationStats {
  cache_stats: {
    totalEntries: number;
    expiredEntries: number;
    /** Per cent: hits / (hits + misses). */
    hitRate: number;
    oldestEntry: string | null;
    newestEntry: string | null;
  };
  recommendations: {
    hit_rate_status: 'excellent' | 'good' | 'needs_improvement';
    expired_entries_status: 'high' | 'normal';
  };
}

/** Each invalidating method resolves to the number of entries invalidated. */
export declare const cacheInvalidation: {
  invalidateJobReadinessProductsCache(clientId?: Id | null): Promise<number>;
  invalidateExpertSessionsCache(productId?: Id | null): Promise<number>;
  invalidateClientConfigurationsCache(clientId?: Id | null): Promise<number>;
  invalidateModuleContentCache(moduleId?: Id | null): Promise<number>;
  invalidatePhase2Cache(): Promise<number>;
  invalidatePhase1Cache(): Promise<number>;
  invalidateRelatedCaches(options: RelatedCaches | { tags: string[] }): Promise<number>;
  getCacheInvalidationStats(): Promise<CacheInvalidationStats>;
};

export declare const CacheInvalidationUtils: {
  onProductCreated(productId: Id, clientId?: Id | null): Promise<number>;
  onExpertSessionModified(productId?: Id | null): Promise<number>;
  onModuleContentModified(moduleId: Id): Promise<number>;
  onClientConfigModified(clientId: Id): Promise<number>;
  onBulkDataImport(): Promise<number>;
};

/** Freshet said no, could not be reached, or did not answer in time. */
export declare class FreshetError extends Error {
  /** The HTTP status, where there was an answer. */
  readonly status?: number;
  /** What Freshet said is wrong. */
  readonly problem?: string;
}
