// What an application does with the client: it keeps what it fetched, hears what became stale, and fetches that again,
// once per burst.
import { broadcastCacheManager as manager, configure } from '/client/live.js';
import { get } from '/admin/assets/api.js';

export const EID = 'AB3028';
export const REFRESH_DELAY = 1000;

/** One endpoint's answer, as this window keeps it. */
export class Kept {
  constructor(endpoint, changed) {
    this.endpoint = endpoint;
    this.url = '/demo/data' + endpoint;
    this.changed = changed;
    this.state = 'loading';
    this.data = null;
    this.cachedAt = null;
    this.staleAt = null;
    this.fetches = 0;
    this.error = null;
  }

  async fetch() {
    const since = manager.beforeFetch();
    const heard = this.staleAt;
    this.state = this.data === null ? 'loading' : 'fetching';
    this.changed();
    const answer = await get(this.url);
    this.fetches++;
    this.error = answer.ok ? null : answer.error;
    if (answer.ok && manager.keepFetched(this.url, answer.data, { eid: EID, since })) {
      this.data = answer.data;
      this.cachedAt = Date.now();
      this.staleAt = this.staleAt === heard ? null : this.staleAt;
      this.state = this.staleAt === null ? 'fresh' : 'stale';
    } else {
      // not reached, or overtaken by another change while it was fetched: that one has its own refresh
      this.state = this.data === null ? 'loading' : 'stale';
    }
    this.changed();
    return answer;
  }

  /** What is kept, if it is still valid; otherwise it is fetched. */
  async use() {
    if (manager.getCachedData(this.url) === null) await this.fetch();
  }

  stale(payload) {
    this.state = 'stale';
    this.staleAt = Date.now();
    this.why = payload.type;
    this.changed();
  }
}

/**
 * @param kept gives all that this window keeps, and shown what of it can be seen: the rest waits until somebody looks
 */
export function subscribe(kept, shown, liveKey, heard) {
  if (liveKey) configure({ liveKey });
  manager.setDebugMode(true);
  let timer;
  const refresh = async () => {
    timer = undefined;
    const failed = (
      await Promise.all(
        shown()
          .filter(one => one.state === 'stale' || one.state === 'loading')
          .map(one => one.fetch()),
      )
    ).some(answer => answer.status === 0 || answer.status >= 500);
    if (failed) soon();
  };
  const soon = () => {
    timer ??= setTimeout(refresh, REFRESH_DELAY);
  };
  manager.subscribeToEvent(EID, payload => {
    kept()
      .filter(one => payload.type === 'reset' || payload.endpoints.includes(one.endpoint))
      .forEach(one => one.stale(payload));
    heard(payload);
    soon();
  });
}

export const stats = () => manager.getCacheStats();
