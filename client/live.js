import { EndpointCache } from './endpoint-cache.js';
import { EventChannel } from './event-channel.js';
import { checked, configure, settings } from './settings.js';

export { configure };

const EID = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,40}$/;
const PREFIX = '[BroadcastCacheManager]';
const DEFAULT_TTL_MS = 300_000;
const HIDDEN_FOR_LONG_MS = 30_000;
const CLOCK_MS = 10_000;
/** Timers of a page in the background run once a minute; a gap beyond that was sleep. */
const SLEPT_MS = 90_000;

export class BroadcastCacheManager {
  #own;
  #cache = new EndpointCache();
  #events = new Map();
  #debug = false;
  #clock;
  #hiddenAt;
  #unwatch = () => {};

  /** @param options as configure() takes them, for this one only */
  constructor(options = {}) {
    this.#own = { ...checked(options) };
  }

  subscribeToEvent(eid, callback) {
    if (typeof eid !== 'string' || !EID.test(eid)) {
      throw new TypeError('eid: must be 1 to 40 letters, digits, "-", "_" or "."');
    }
    if (typeof callback !== 'function') {
      throw new TypeError('callback: must be a function');
    }
    this.#log(`🔔 Subscribing to cache invalidation for event ${eid}`);
    let event = this.#events.get(eid);
    if (event?.channel.listens) {
      this.#subscribed(eid);
    }
    if (event === undefined) {
      event = { callbacks: new Map(), channel: this.#open(eid) };
      this.#events.set(eid, event);
      this.#watchThePage();
    }
    const mine = Symbol(eid);
    const holders = event.callbacks.get(callback) ?? new Set();
    event.callbacks.set(callback, holders.add(mine));
    return () => {
      if (holders.delete(mine) && holders.size === 0 && event.callbacks.get(callback) === holders) {
        this.#drop(eid, event, [callback]);
      }
    };
  }

  /** Without a callback: all of the event's. */
  unsubscribeFromEvent(eid, callback) {
    const event = this.#events.get(eid);
    if (event !== undefined) {
      this.#drop(eid, event, callback === undefined ? [...event.callbacks.keys()] : [callback]);
    }
  }

  cacheEndpointData(endpoint, data, ttl = DEFAULT_TTL_MS) {
    this.keepFetched(endpoint, data, { ttl });
  }

  /** The cached data, or null when there are none, or they are too old or invalidated. */
  getCachedData(endpoint) {
    const data = this.#cache.get(asEndpoint(endpoint));
    this.#say(`[CACHE] ${data === null ? 'No cached data' : 'Using valid cached data'} for: ${endpoint}`);
    return data;
  }

  /** Here only, in this page. True if there were valid data. */
  invalidateEndpoint(endpoint) {
    const invalidated = this.#cache.invalidate(asEndpoint(endpoint)) > 0;
    this.#say(`❌ [CACHE] Invalidated endpoint: ${endpoint}`);
    return invalidated;
  }

  clearEventCache(eid) {
    const cleared = this.#cache.clear(String(eid));
    this.#log(`Cleared ${cleared.length} cached endpoints of ${eid}`);
  }

  getCacheStats() {
    return {
      ...this.#cache.stats(),
      subscriptions: this.#events.size,
      eventListeners: [...this.#events.values()].reduce((sum, event) => sum + event.callbacks.size, 0),
    };
  }

  setDebugMode(enabled) {
    this.#debug = enabled === true;
  }

  /** To be given to keepFetched() with what a fetch brought that began now. */
  beforeFetch() {
    return this.#cache.now();
  }

  /** What was overtaken by a change while it was fetched is not kept: false. */
  keepFetched(endpoint, data, { ttl = DEFAULT_TTL_MS, eid, since } = {}) {
    if (!(ttl >= 0)) {
      throw new TypeError('ttl: must be a number of milliseconds of 0 or more');
    }
    const kept = this.#cache.put(asEndpoint(endpoint), data, ttl, eid, since);
    this.#say(
      kept
        ? `[CACHE] Cached data for endpoint: ${endpoint}`
        : `[CACHE] Changed while it was fetched, not cached: ${endpoint}`,
    );
    return kept;
  }

  #open(eid) {
    return new EventChannel(eid, () => settings(this.#own), {
      change: payload => this.#changed(eid, payload),
      reset: () => this.#reset(eid),
      log: text => this.#log(text),
      listens: () => this.#subscribed(eid),
    });
  }

  /** On the channel that PostgreSQL's listeners hear, too. */
  #subscribed(eid) {
    this.#log(`✅ Subscribed to cache_invalidate_${eid}`);
  }

  #drop(eid, event, callbacks) {
    const dropped = callbacks.filter(callback => event.callbacks.delete(callback)).length;
    if (dropped === 0) {
      return;
    }
    this.#log(`Unsubscribed from event ${eid}`);
    // a component that is mounted again at once (React's strict mode) finds the stream open
    queueMicrotask(() => {
      if (event.callbacks.size === 0 && this.#events.get(eid) === event) {
        this.#events.delete(eid);
        event.channel.close();
        // nobody would hear of their changes any more
        this.#cache.clear(eid);
        if (this.#events.size === 0) {
          this.#unwatch();
        }
      }
    });
  }

  #changed(eid, received) {
    const endpoints = Array.isArray(received.endpoints)
      ? received.endpoints.filter(endpoint => typeof endpoint === 'string')
      : [];
    const payload = { ...received, endpoints, timestamp: milliseconds(received.timestamp) };
    this.#say(`📡 [BROADCAST] ${payload.type} notification for event ${eid}`);
    this.#log('Its payload:', payload);
    endpoints.forEach(endpoint => this.invalidateEndpoint(endpoint));
    this.#tell(eid, payload);
  }

  #reset(eid) {
    this.#say(`📡 [BROADCAST] reset notification for event ${eid}`);
    const cached = this.#cache.clear(eid);
    const endpoints = [...new Set([`/live/event/${eid}`, `/live/event/${eid}/media`, ...cached])];
    this.#tell(eid, { type: 'reset', event_eid: eid, endpoints, timestamp: Date.now() });
  }

  #tell(eid, payload) {
    const event = this.#events.get(eid);
    for (const callback of [...(event?.callbacks.keys() ?? [])]) {
      if (event.callbacks.has(callback)) {
        this.#call(eid, callback, { ...payload, endpoints: [...payload.endpoints] });
      }
    }
  }

  /** One that fails harms no other. */
  async #call(eid, callback, payload) {
    try {
      await callback(payload);
    } catch (error) {
      console.error(`${PREFIX} A callback of ${eid} failed:`, error);
    }
  }

  #watchThePage() {
    if (this.#clock !== undefined) {
      return;
    }
    const page = globalThis.document;
    const visibility = () => {
      if (page.visibilityState === 'hidden') {
        this.#hiddenAt = Date.now();
      } else if (this.#hiddenAt !== undefined) {
        const hiddenForLong = Date.now() - this.#hiddenAt >= HIDDEN_FOR_LONG_MS;
        this.#hiddenAt = undefined;
        if (hiddenForLong) {
          this.#wake();
        }
      }
    };
    const online = () => this.#wake();
    const shown = event => event.persisted && this.#wake();
    let last = Date.now();
    this.#clock = setInterval(() => {
      const slept = Date.now() - last > CLOCK_MS + SLEPT_MS;
      last = Date.now();
      if (slept) {
        this.#wake();
      }
    }, CLOCK_MS);
    this.#clock.unref?.();
    page?.addEventListener?.('visibilitychange', visibility);
    globalThis.addEventListener?.('online', online);
    globalThis.addEventListener?.('pageshow', shown);
    this.#unwatch = () => {
      clearInterval(this.#clock);
      this.#clock = undefined;
      page?.removeEventListener?.('visibilitychange', visibility);
      globalThis.removeEventListener?.('online', online);
      globalThis.removeEventListener?.('pageshow', shown);
    };
  }

  #wake() {
    this.#events.forEach(event => event.channel.wake());
  }

  #log(text, ...details) {
    this.#say(`${PREFIX} ${text}`, ...details);
  }

  /** The wording of most lines is that of the system which this replaces: people search their consoles for it. */
  #say(line, ...details) {
    if (this.#debug) {
      console.log(line, ...details);
    }
  }
}

export const broadcastCacheManager = new BroadcastCacheManager();

function asEndpoint(endpoint) {
  if (typeof endpoint !== 'string' || endpoint === '') {
    throw new TypeError('endpoint: must be a non-empty string');
  }
  return endpoint;
}

/** Seconds on the wire. */
function milliseconds(timestamp) {
  const number = Number(timestamp);
  return timestamp === undefined || timestamp === null || !Number.isFinite(number)
    ? Date.now()
    : Math.round(number * 1_000);
}
