const known = ['url', 'key', 'timeoutMs', 'liveKey', 'EventSource', 'timings'];
const LONGEST_TIMER = 2 ** 31 - 1;

let configured = {};

/** Wins over the environment. Only what is named changes; undefined goes back to the default. */
export function configure(options) {
  configured = { ...configured, ...checked(options) };
}

/** What configure() was told, under what the caller was told itself. */
export function settings(own) {
  return { ...configured, ...own };
}

export function checked(options = {}) {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(`${name}: not an option; there are ${known.join(', ')}`);
    }
  }
  const { url, key, timeoutMs, liveKey, EventSource, timings } = options;
  if (url !== undefined) {
    address(url, 'url');
  }
  for (const [name, value] of Object.entries({ key, liveKey })) {
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      throw new TypeError(`${name}: must be a non-empty string`);
    }
  }
  if (timeoutMs !== undefined && !(timeoutMs > 0 && timeoutMs <= LONGEST_TIMER)) {
    throw new TypeError('timeoutMs: must be a number of milliseconds above 0');
  }
  if (EventSource !== undefined && typeof EventSource !== 'function') {
    throw new TypeError('EventSource: must be a constructor');
  }
  for (const [name, value] of Object.entries(timings ?? {})) {
    if (!(value > 0 && value <= LONGEST_TIMER)) {
      throw new TypeError(`timings.${name}: must be a number above 0`);
    }
  }
  return options;
}

/** Where Freshet is, without a slash at the end: configured, FRESHET_URL, or the origin of the page. */
export function freshetUrl(url) {
  if (url !== undefined) {
    return address(url, 'url');
  }
  const environment = fromEnvironment(() => process.env.FRESHET_URL);
  if (environment !== undefined) {
    return address(environment, 'FRESHET_URL');
  }
  const origin = globalThis.location?.origin;
  if (typeof origin === 'string' && /^https?:/.test(origin)) {
    return origin;
  }
  throw new Error('Where is Freshet? Set FRESHET_URL, or call configure({ url })');
}

/** Written out at the caller, as bundlers look for process.env.NAME; browsers and edge runtimes may have no process. */
export function fromEnvironment(read) {
  try {
    return read() || undefined;
  } catch {
    return undefined;
  }
}

function address(text, name) {
  let url;
  try {
    url = new URL(text);
  } catch {
    throw new TypeError(`${name}: must be an address like https://freshet.example`);
  }
  if (!['http:', 'https:'].includes(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new TypeError(`${name}: must be an address like https://freshet.example, without user, query and fragment`);
  }
  return url.origin + url.pathname.replace(/\/+$/, '');
}
