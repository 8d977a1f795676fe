import {
  BroadcastCacheManager,
  CacheInvalidationUtils,
  FreshetError,
  broadcastCacheManager,
  cacheInvalidation,
  configure,
  revalidateHandler,
  waitUntilFresh,
} from 'freshet-client';
import type { ChangePayload } from 'freshet-client/live';
import type { FenceAnswer } from 'freshet-client/fence';
import { useBroadcastCache, useCachedFetch } from 'freshet-client/react';

configure({
  url: 'https://freshet.example',
  key: 'k',
  timeoutMs: 5000,
  liveKey: 'l',
  EventSource,
  timings: { pollMs: 1 },
});

export const POST: (request: Request) => Promise<Response> = revalidateHandler({ secret: 'x' });
revalidateHandler({ secret: () => undefined, key: 'k', revalidateTag: (tag: string) => tag });
revalidateHandler({
  secret: 'x',
  profile: 'max',
  revalidateTag: (tag: string, profile: string | { expire?: number }) => [tag, profile],
});
revalidateHandler({ secret: 'x', profile: { expire: 60 } });

export async function published(token: string): Promise<string[]> {
  const answer: FenceAnswer = await waitUntilFresh(token, { timeoutMs: 5_000 });
  return answer.fresh ? [] : answer.given_up.map(({ tag, target, error }) => `${tag} at ${target}: ${error ?? ''}`);
}

export async function server(): Promise<number> {
  await cacheInvalidation.invalidateRelatedCaches({ products: true, clientId: 7 });
  await cacheInvalidation.invalidateRelatedCaches({ tags: ['a'] });
  const { cache_stats } = await cacheInvalidation.getCacheInvalidationStats();
  try {
    await CacheInvalidationUtils.onProductCreated('p', null);
  } catch (error) {
    return error instanceof FreshetError ? (error.status ?? cache_stats.hitRate) : 0;
  }
  return cacheInvalidation.invalidateModuleContentCache('m');
}

export function page(): () => void {
  const leave: () => void = broadcastCacheManager.subscribeToEvent(
    'AB3028',
    (payload: ChangePayload) => payload.endpoints.length,
  );
  broadcastCacheManager.cacheEndpointData('/live/event/AB3028', { votes: 1 }, 1000);
  const votes: number | undefined = broadcastCacheManager.getCachedData<{ votes: number }>('/live/event/AB3028')?.votes;
  const listeners: number = broadcastCacheManager.getCacheStats().eventListeners + (votes ?? 0);
  new BroadcastCacheManager({ liveKey: String(listeners) }).setDebugMode(true);
  useBroadcastCache('AB3028', ({ endpoints, events }) => endpoints.length + events.length, {
    autoRefresh: true,
    refreshDelay: 1000,
    debugMode: false,
  });
  const { fetchData, getCachedOrFetch, getCachedData } = useCachedFetch<{ votes: number }>(
    '/live/event/AB3028',
    'AB3028',
    { ttl: 1000, headers: { a: 'b' } },
  );
  void fetchData().then(data => data.votes);
  void getCachedOrFetch().then(() => getCachedData()?.votes);
  return leave;
}

// @ts-expect-error an id is a string or a number
void CacheInvalidationUtils.onProductCreated({});
// @ts-expect-error required
void CacheInvalidationUtils.onModuleContentModified();
// @ts-expect-error no such option
void cacheInvalidation.invalidateRelatedCaches({ product: true });
// @ts-expect-error a number of milliseconds
configure({ timeoutMs: '8s' });
