export interface FreshetOptions {
  /** Where Freshet is, e.g. `https://freshet.example`. Default: FRESHET_URL, in a browser the origin of the page. */
  url?: string;
  /** Default: INTERNAL_API_KEY. For servers only: whoever has it may do anything. */
  key?: string;
  /** How long one call of cacheInvalidation may take in all. Default: 8000. */
  timeoutMs?: number;
  /** FRESHET_LIVE_KEY, which travels as `?key=`. */
  liveKey?: string;
  /** Another EventSource than the global one. Where there is none, the history is polled. */
  EventSource?: new (url: string) => EventSourceLike;
  /** Other times than the defaults of event-channel.js, in milliseconds; for tests. */
  timings?: Partial<
    Record<
      | 'connectMs'
      | 'stableMs'
      | 'failures'
      | 'retryMs'
      | 'retryMaxMs'
      | 'silenceMs'
      | 'requestMs'
      | 'pollMs'
      | 'streamAgainMs'
      | 'streamAgainMaxMs',
      number
    >
  >;
}

export interface EventSourceLike {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: any) => void): void;
  close(): void;
}

/** Wins over the environment. Only what is named changes; undefined goes back to the default. */
export function configure(options: FreshetOptions): void;
