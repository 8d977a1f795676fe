const MAX_ENTRIES = 1_000;
const MAX_CHANGES = 2_000;

/**
 * What was fetched, by endpoint; and which endpoints changed when, so that what was fetched before a change is not kept
 * after it.
 */
export class EndpointCache {
  #entries = new Map();
  #changes = new Map();
  #cleared = new Map();
  #sequence = 0;
  #forgotten = 0;

  /** To be taken before a fetch begins and given to put() with what it brought. */
  now() {
    return this.#sequence;
  }

  /** False when a change since then has made it stale already. */
  put(endpoint, data, ttl, eid, since = this.#sequence) {
    if (this.#changedAfter(endpoint, eid, since)) {
      return false;
    }
    this.#entries.delete(endpoint);
    if (this.#entries.size >= MAX_ENTRIES) {
      this.#makeRoom();
    }
    this.#entries.set(endpoint, { data, eid, expiresAt: Date.now() + ttl, invalidated: false });
    return true;
  }

  get(endpoint) {
    const entry = this.#entries.get(endpoint);
    return entry !== undefined && isValid(entry, Date.now()) ? entry.data : null;
  }

  /** How many were valid until now. */
  invalidate(endpoint) {
    this.#note(this.#changes, endpoint);
    const now = Date.now();
    let invalidated = 0;
    for (const [key, entry] of this.#entries) {
      if (covers(endpoint, key)) {
        invalidated += isValid(entry, now) ? 1 : 0;
        entry.invalidated = true;
      }
    }
    return invalidated;
  }

  /** Forgets all of an event and tells what that was. */
  clear(eid) {
    this.#note(this.#cleared, eid);
    const cleared = [...this.#entries].filter(([key, entry]) => belongs(key, entry.eid, eid)).map(([key]) => key);
    cleared.forEach(key => this.#entries.delete(key));
    return cleared;
  }

  stats() {
    const now = Date.now();
    const stats = { totalEntries: this.#entries.size, validEntries: 0, expiredEntries: 0, invalidatedEntries: 0 };
    for (const entry of this.#entries.values()) {
      if (entry.invalidated) {
        stats.invalidatedEntries++;
      } else if (isValid(entry, now)) {
        stats.validEntries++;
      } else {
        stats.expiredEntries++;
      }
    }
    return stats;
  }

  #note(where, name) {
    if (where.size >= MAX_CHANGES) {
      where.clear();
      this.#forgotten = this.#sequence;
    }
    where.set(name, ++this.#sequence);
  }

  #changedAfter(endpoint, eid, since) {
    return (
      since < this.#forgotten ||
      [...this.#changes].some(([changed, at]) => at > since && covers(changed, endpoint)) ||
      [...this.#cleared].some(([cleared, at]) => at > since && belongs(endpoint, eid, cleared))
    );
  }

  #makeRoom() {
    const now = Date.now();
    for (const [key, entry] of this.#entries) {
      if (!isValid(entry, now)) {
        this.#entries.delete(key);
      }
    }
    if (this.#entries.size >= MAX_ENTRIES) {
      this.#entries.delete(this.#entries.keys().next().value);
    }
  }
}

function isValid(entry, now) {
  return !entry.invalidated && now < entry.expiresAt;
}

/** `/live/event/E` is also what `https://api.example/v1/live/event/E?fresh=1` was fetched from. */
function covers(endpoint, key) {
  if (key === endpoint) {
    return true;
  }
  const path = pathOf(endpoint);
  return path.startsWith('/') && path !== '/' && pathOf(key).endsWith(path);
}

/** Event ids have no characters that mean something here but the dot. */
function belongs(key, eidOfEntry, eid) {
  if (eidOfEntry !== undefined) {
    return eidOfEntry === eid;
  }
  const name = eid.replaceAll('.', '\\.');
  return new RegExp(`/live/event/(${name}(/|$)|${name}-[^/]+-[^/]+/bids(/|$))`).test(pathOf(key));
}

function pathOf(key) {
  return key
    .replace(/[?#].*$/s, '')
    .replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '')
    .replace(/\/+$/, '');
}
