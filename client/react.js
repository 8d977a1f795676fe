'use client';

import { useCallback, useEffect, useRef } from 'react';
import { broadcastCacheManager } from './live.js';

/**
 * Tells onInvalidation of an event's changes. With autoRefresh, those that come within refreshDelay of the first are
 * one call; without it, each is one at once. Neither a new function at every render nor new options subscribe again. An
 * eid that is null or empty subscribes to nothing.
 */
export function useBroadcastCache(
  eid,
  onInvalidation,
  { autoRefresh = true, refreshDelay = 1000, debugMode = false } = {},
) {
  const latest = useLatest({ onInvalidation, autoRefresh, refreshDelay });

  useEffect(() => {
    if (debugMode) {
      broadcastCacheManager.setDebugMode(true);
    }
  }, [debugMode]);

  useEffect(() => {
    let waiting = [];
    let timer;
    const tell = payloads => latest.current.onInvalidation?.(united(payloads));
    const refresh = () => {
      const payloads = waiting;
      waiting = [];
      timer = undefined;
      return tell(payloads);
    };
    const unsubscribe = subscribed(eid, payload => {
      if (!latest.current.autoRefresh) {
        return tell([payload]);
      }
      waiting.push(payload);
      timer ??= setTimeout(() => guarded(refresh), latest.current.refreshDelay);
    });
    return () => {
      clearTimeout(timer);
      unsubscribe();
    };
  }, [eid, latest]);
}

/**
 * Fetches url and keeps the answer until the event changes it, or for options.ttl milliseconds. The other options are
 * fetch's. While the component is mounted it listens to the event, because nothing else would tell that what it keeps
 * is stale.
 */
export function useCachedFetch(url, eid, options) {
  const latest = useLatest(options);

  useEffect(() => subscribed(eid, () => {}), [eid]);

  const fetchData = useCallback(() => fetchAndKeep(url, eid, latest.current ?? {}), [url, eid, latest]);
  const getCachedData = useCallback(() => broadcastCacheManager.getCachedData(url), [url]);
  const getCachedOrFetch = useCallback(async () => {
    const cached = broadcastCacheManager.getCachedData(url);
    if (cached !== null) {
      return cached;
    }
    const underWay = fetches.get(url);
    if (underWay !== undefined && underWay.since === broadcastCacheManager.beforeFetch()) {
      return underWay.answer;
    }
    return fetchAndKeep(url, eid, latest.current ?? {});
  }, [url, eid, latest]);

  return { fetchData, getCachedOrFetch, getCachedData };
}

/**
 * Those that have not answered yet; who asks meanwhile may wait for the same answer, unless something changed since it
 * was asked for.
 */
const fetches = new Map();

async function fetchAndKeep(url, eid, { ttl, ...init }) {
  const since = broadcastCacheManager.beforeFetch();
  const isRead = (init.method ?? 'GET').toUpperCase() === 'GET';
  const answer = (async () => {
    // the browser's own cache would give back what Freshet has just declared stale
    const response = await fetch(url, { cache: 'no-cache', ...init });
    if (!response.ok) {
      throw Object.assign(new Error(`${url}: HTTP ${response.status}`), { status: response.status });
    }
    const isJson = /\bjson\b/i.test(response.headers.get('content-type') ?? '');
    return isJson ? response.json() : response.text();
  })();
  const fetching = { since, answer };
  if (isRead) {
    fetches.set(url, fetching);
  }
  try {
    const data = await answer;
    if (isRead) {
      broadcastCacheManager.keepFetched(url, data, { ttl, eid: eid || undefined, since });
    }
    return data;
  } finally {
    if (fetches.get(url) === fetching) {
      fetches.delete(url);
    }
  }
}

/** Several changes as one: what they have in common, and all of them under `events`. */
function united(payloads) {
  const types = new Set(payloads.map(payload => payload.type));
  const last = payloads.at(-1);
  const type = types.has('reset') ? 'reset' : types.size === 1 ? last.type : 'multiple';
  const common = payloads.length === 1 ? last : { event_eid: last.event_eid };
  return {
    ...common,
    type,
    endpoints: [...new Set(payloads.flatMap(payload => payload.endpoints))],
    timestamp: Math.max(...payloads.map(payload => payload.timestamp)),
    events: payloads,
  };
}

/** An id that cannot be one is said in the console, and does not take the page down. */
function subscribed(eid, callback) {
  if (eid === undefined || eid === null || eid === '') {
    return () => {};
  }
  try {
    return broadcastCacheManager.subscribeToEvent(eid, callback);
  } catch (error) {
    console.error(`[BroadcastCacheManager] ${String(eid)}:`, error);
    return () => {};
  }
}

async function guarded(run) {
  try {
    await run();
  } catch (error) {
    console.error('[BroadcastCacheManager] onInvalidation failed:', error);
  }
}

function useLatest(value) {
  const latest = useRef(value);
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}
