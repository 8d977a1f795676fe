import { freshetUrl } from './settings.js';

/**
 * Freshet is asked for events without names, all of which are messages. The names are for one that is older than this
 * client.
 */
const NAMES = ['message', 'art_updated', 'vote_cast', 'bid_placed', 'media_updated', 'manual_invalidation'];
const CLOSED = 2;
const PAGE = 1_000;
const MAX_PAGES_TO_THE_END = 50;
const REMEMBERED_IDS = 5_000;

export const TIMINGS = Object.freeze({
  connectMs: 10_000, // a stream that is not open by then has failed
  stableMs: 5_000, // one that was open for so long had not
  failures: 3, // so many in a row: polling
  retryMs: 1_000, // back-off between streams, from
  retryMaxMs: 30_000, // to
  silenceMs: 45_000, // nothing heard: ask whether something was missed (Freshet sends a heartbeat every 15 s)
  requestMs: 10_000, // for an answer of the history
  pollMs: 3_000,
  streamAgainMs: 15_000, // while polling: the next try to stream, later up to
  streamAgainMaxMs: 300_000,
});

/**
 * One event's changes, each once and in order: by one EventSource, or by polling its history where streaming fails.
 *
 * streaming -> (failed three times in a row) -> polling, with a stream on trial from time to time
 *           -> (the stream delivered) -> streaming
 */
export class EventChannel {
  #eid;
  #settings;
  #on;
  #closed = false;
  #source;
  #opened = false;
  #everOpened = false;
  #openedAt = 0;
  #delivered = false;
  #failures = 0;
  #polling = false;
  #pollAbort;
  #pollFailures = 0;
  #trials = 0;
  #passedBy = 0;
  #cursor;
  #atEnd = false;
  #listens = false;
  #mayHaveMissed = false;
  #seen = new Set();
  #timers = new Map();

  /**
   * @param settings gives url, liveKey, EventSource and timings as they are now
   * @param on       change(payload), reset(), log(text), and listens(): from now on it hears what changes, by whichever
   *                 way
   */
  constructor(eid, settings, on) {
    this.#eid = eid;
    this.#settings = settings;
    this.#on = on;
    this.#url('stream'); // an address that is missing or wrong stops here, not in every try
    this.#stream();
  }

  get listens() {
    return this.#listens;
  }

  close() {
    this.#closed = true;
    this.#closeSource();
    this.#pollAbort?.abort();
    this.#timers.forEach(timer => clearTimeout(timer));
    this.#timers.clear();
  }

  /** The network or the page was away: what looks open may be dead. */
  wake() {
    if (this.#closed) {
      return;
    }
    this.#on.log(`Awake again, reconnecting to ${this.#eid}`);
    this.#failures = 0;
    if (this.#polling) {
      this.#trials = 0;
      this.#pollSoon(1);
      this.#after('again', 1, () => this.#stream());
    } else {
      this.#mayHaveMissed ||= this.#cursor === undefined;
      this.#stream();
    }
  }

  // streaming

  #stream() {
    this.#closeSource();
    this.#cancel('retry');
    const EventSource = this.#settings().EventSource ?? globalThis.EventSource;
    if (EventSource === undefined) {
      this.#mayHaveMissed ||= !this.#isPlaced; // what changes until the first poll says where the present is
      this.#poll('there is no EventSource');
      return;
    }
    let source;
    try {
      source = new EventSource(this.#url('stream', { as: 'message', lastEventId: this.#cursor }));
    } catch (error) {
      this.#failed(String(error?.message ?? error));
      return;
    }
    this.#source = source;
    const listen = (type, handle) =>
      source.addEventListener(type, event => {
        if (source === this.#source) {
          handle(event);
        }
      });
    listen('open', () => this.#isOpen());
    listen('error', () => this.#broke());
    NAMES.forEach(name => listen(name, event => this.#heard(() => this.#take(event.lastEventId, name, event.data))));
    listen('hello', event => this.#begin(event.lastEventId));
    listen('heartbeat', event => this.#heard(() => this.#begin(event.lastEventId)));
    listen('reset', event => this.#heard(() => this.#reset(event.lastEventId || undefined)));
    this.#after('open', this.#timings.connectMs, () => this.#failed('no answer'));
  }

  #isOpen() {
    this.#cancel('open');
    this.#opened = this.#everOpened = true;
    this.#openedAt = Date.now();
    this.#listenForSilence();
    this.#listensNow();
    this.#on.log(`Connected to event ${this.#eid}`);
    if (this.#mayHaveMissed && !this.#polling) {
      this.#mayHaveMissed = false;
      this.#on.reset();
    }
  }

  #heard(handle) {
    this.#delivered = true;
    this.#listensNow();
    this.#failures = 0;
    this.#listenForSilence();
    handle();
    if (this.#polling && !this.#closed) {
      this.#stopPolling();
    }
  }

  /** EventSource reconnects by itself, unless it is closed; it is left alone as long as that helps. */
  #broke() {
    const wasSound = this.#opened && (this.#delivered || Date.now() - this.#openedAt >= this.#timings.stableMs);
    const givenUp = this.#source.readyState === CLOSED;
    if (this.#polling || givenUp || (!wasSound && this.#failures + 1 >= this.#timings.failures)) {
      this.#failed('the stream ended', wasSound);
      return;
    }
    // Freshet begins a stream with an id: the browser, which shows none before the first change, resumes from there
    this.#mayHaveMissed ||= this.#cursor === undefined && !this.#everOpened;
    this.#failures = wasSound ? 0 : this.#failures + 1;
    this.#opened = this.#delivered = false;
    this.#cancel('silence');
    this.#on.log(`The stream of ${this.#eid} broke; the browser reconnects`);
    this.#after('open', this.#timings.retryMaxMs + this.#timings.connectMs, () => this.#failed('no answer'));
  }

  #failed(reason, wasSound = false) {
    this.#closeSource();
    this.#mayHaveMissed ||= this.#cursor === undefined && !this.#polling;
    if (this.#polling) {
      this.#streamLater();
      return;
    }
    this.#failures = wasSound ? 0 : this.#failures + 1;
    if (this.#failures >= this.#timings.failures) {
      this.#poll(reason);
      return;
    }
    const delay = this.#backOff(this.#failures + (wasSound ? 1 : 0));
    this.#on.log(`Streaming ${this.#eid} failed (${reason}), trying again in ${delay} ms`);
    this.#after('retry', delay, () => this.#stream());
  }

  #closeSource() {
    const source = this.#source;
    this.#source = undefined;
    this.#opened = this.#everOpened = this.#delivered = false;
    this.#passedBy = 0;
    this.#cancel('open');
    this.#cancel('silence');
    source?.close();
  }

  /** An EventSource does not show heartbeats that are comments; so what counts is whether something was missed. */
  #listenForSilence() {
    if (!this.#polling) {
      this.#after('silence', this.#timings.silenceMs, () => this.#askWhetherMissed());
    }
  }

  async #askWhetherMissed() {
    const source = this.#source;
    try {
      const missed = this.#isPlaced ? await this.#catchUp() : await this.#beginAtTheEnd();
      if (source !== this.#source || this.#closed) {
        return;
      }
      if (missed > 0) {
        this.#failed('it is deaf');
      } else {
        this.#listenForSilence();
      }
    } catch (error) {
      if (source === this.#source && !this.#closed) {
        this.#failed(error.message);
      }
    }
  }

  // polling

  #poll(reason) {
    this.#on.log(`Streaming ${this.#eid} failed (${reason}), polling`);
    this.#polling = true;
    this.#trials = 0;
    this.#pollFailures = 0;
    // those who lost one server do not ask the other all at once
    this.#pollSoon(Math.round(Math.random() * this.#timings.retryMs));
    this.#streamLater();
  }

  #stopPolling() {
    this.#polling = false;
    this.#failures = 0;
    this.#pollAbort?.abort();
    this.#cancel('poll');
    this.#cancel('again');
    this.#listenForSilence();
    this.#on.log(`Streaming ${this.#eid} again`);
  }

  #streamLater() {
    if ((this.#settings().EventSource ?? globalThis.EventSource) === undefined) {
      return;
    }
    const { streamAgainMs, streamAgainMaxMs } = this.#timings;
    this.#after('again', jittered(Math.min(streamAgainMaxMs, streamAgainMs * 2 ** this.#trials++)), () =>
      this.#stream(),
    );
  }

  #pollSoon(delay) {
    this.#after('poll', delay, () => this.#pollOnce());
  }

  async #pollOnce() {
    try {
      if (this.#isPlaced) {
        this.#watchTrial(await this.#catchUp());
      } else {
        await this.#goToTheEnd();
      }
      if (this.#closed || !this.#polling) {
        return;
      }
      this.#listensNow();
      if (this.#mayHaveMissed) {
        this.#mayHaveMissed = false;
        this.#on.reset();
      }
      if (this.#pollFailures > 0) {
        this.#trials = 0;
        this.#streamLater();
      }
      this.#pollFailures = 0;
      this.#pollSoon(jittered(this.#timings.pollMs));
    } catch (error) {
      if (!this.#closed && this.#polling) {
        this.#pollFailures++;
        this.#on.log(`Polling ${this.#eid} failed (${error.message})`);
        this.#pollSoon(Math.max(this.#timings.pollMs, this.#backOff(this.#pollFailures)));
      }
    }
  }

  /** A stream that is open, and twice lets pass by what polling finds, stands behind a proxy that holds it back. */
  #watchTrial(found) {
    if (this.#opened && !this.#delivered && found > 0 && ++this.#passedBy >= 2) {
      this.#failed('it is deaf');
    }
  }

  /** All that came after the cursor; how many of it were new. */
  async #catchUp() {
    let found = 0;
    for (let more = true; more && !this.#closed;) {
      const { events, next, reset } = await this.#history();
      if (reset) {
        this.#reset(next);
        return found + 1;
      }
      for (const { id, type, payload } of events) {
        found += this.#take(id, type, payload) ? 1 : 0;
      }
      this.#cursor = next ?? this.#cursor;
      more = events.length >= PAGE;
    }
    return found;
  }

  /** Where nothing is known yet, the present is where the history ends. */
  async #goToTheEnd() {
    for (let page = 0; page < MAX_PAGES_TO_THE_END; page++) {
      const { events, next } = await this.#history();
      this.#cursor = next ?? events.at(-1)?.id ?? this.#cursor;
      if (events.length < PAGE) {
        break;
      }
    }
    this.#atEnd = true;
  }

  /**
   * A stream that is open and said no hello is held back, or an older Freshet's: what it had to tell is fetched anew.
   */
  async #beginAtTheEnd() {
    const source = this.#source;
    await this.#goToTheEnd();
    if (source === this.#source && !this.#closed) {
      this.#on.reset();
    }
    return 0;
  }

  async #history() {
    this.#pollAbort = new AbortController();
    const abort = this.#pollAbort;
    const timer = setTimeout(() => abort.abort(), this.#timings.requestMs);
    try {
      const response = await fetch(this.#url('history', { after: this.#cursor, limit: PAGE }), {
        signal: abort.signal,
        cache: 'no-store',
      });
      if (!response.ok) {
        throw new Error(`HTTP ${response.status}`);
      }
      const { events, next, reset } = await response.json();
      if (!Array.isArray(events)) {
        throw new Error("the answer is not Freshet's");
      }
      return { events, next: asId(next), reset: reset === true };
    } finally {
      clearTimeout(timer);
    }
  }

  // what both bring

  #listensNow() {
    if (!this.#listens) {
      this.#listens = true;
      this.#on.listens();
    }
  }

  get #isPlaced() {
    return this.#cursor !== undefined || this.#atEnd;
  }

  /**
   * Where a new stream begins. A hello is no delivery: a proxy may let the beginning pass and hold back the rest, or
   * cut the stream after it each time.
   */
  #begin(id) {
    this.#cursor ??= asId(id);
  }

  /** True if it was new. */
  #take(given, type, data) {
    const id = asId(given);
    if (id !== undefined) {
      if (this.#seen.has(id)) {
        this.#on.log(`Duplicate ${id} of ${this.#eid} dropped`);
        return false;
      }
      this.#seen.add(id);
      if (this.#seen.size > REMEMBERED_IDS) {
        this.#seen.delete(this.#seen.values().next().value);
      }
      this.#cursor = id;
    }
    const payload = asPayload(data);
    if (payload === undefined) {
      this.#on.log(`Cannot read ${id} of ${this.#eid}`);
      this.#on.reset();
    } else {
      this.#on.change({ type, event_eid: this.#eid, ...payload });
    }
    return true;
  }

  #reset(id) {
    this.#cursor = id;
    this.#atEnd = false;
    this.#seen.clear();
    this.#mayHaveMissed = false;
    this.#on.reset();
  }

  #url(what, parameters) {
    const { url, liveKey } = this.#settings();
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...parameters, key: liveKey })) {
      if (value !== undefined) {
        query.set(name, value);
      }
    }
    const text = query.toString();
    return `${freshetUrl(url)}/live/${this.#eid}/${what}${text === '' ? '' : `?${text}`}`;
  }

  get #timings() {
    return { ...TIMINGS, ...this.#settings().timings };
  }

  /**
   * Anywhere between the shortest and one that doubles, so that those who lost one server do not come back together.
   */
  #backOff(attempt) {
    const { retryMs, retryMaxMs } = this.#timings;
    const longest = Math.min(retryMaxMs, retryMs * 2 ** attempt);
    return Math.round(retryMs + Math.random() * Math.max(0, longest - retryMs));
  }

  #after(name, delay, run) {
    this.#cancel(name);
    if (!this.#closed) {
      this.#timers.set(name, setTimeout(run, delay));
    }
  }

  #cancel(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

function jittered(delay) {
  return Math.round(delay * (0.8 + Math.random() * 0.4));
}

function asId(id) {
  return id === undefined || id === null || id === '' ? undefined : String(id);
}

function asPayload(data) {
  try {
    const payload = typeof data === 'string' ? JSON.parse(data) : data;
    return payload !== null && typeof payload === 'object' && !Array.isArray(payload) ? payload : undefined;
  } catch {
    return undefined;
  }
}
