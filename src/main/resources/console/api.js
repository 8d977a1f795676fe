// The way to Freshet: requests with the key of this tab, and the stream. EventSource could not send the key.
import { setServerTime } from './time.js';

const KEY = 'freshet-key';
const SILENCE = 12000;

export const keyRequired = document.documentElement.dataset.key === 'required';
export const key = () => sessionStorage.getItem(KEY) || '';
export const setKey = value => (value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY));

const headers = more => ({ ...more, ...(key() ? { Authorization: `Bearer ${key()}` } : {}) });

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    return { ok: false, status: 0, error: 'Freshet does not answer. The console keeps trying.' };
  }
  let data = null;
  try {
    data = await response.json();
  } catch {
    // said below
  }
  if (response.ok && data !== null) return { ok: true, status: response.status, data };
  const detail = (data && (data.detail || data.error)) || `HTTP ${response.status}`;
  return {
    ok: false,
    status: response.status,
    data,
    error: response.status === 403 ? `${detail}. Changes need INTERNAL_API_KEY.` : detail,
  };
}

export const get = path => ask(path, { headers: headers({ Accept: 'application/json' }), cache: 'no-store' });
export const post = (path, body) =>
  ask(path, {
    method: 'POST',
    headers: headers({ 'Content-Type': 'application/json' }),
    body: JSON.stringify(body || {}),
  });

/**
 * Tells `onEvent(event, data)` and `onState('live' | 'lost' | 'locked')` until it is closed; comes back by itself. What
 * these throw is reported and does not end the stream: a page that fails to draw something must draw what comes next.
 */
export function stream(onEvent, onState) {
  const heard = reporting(onEvent);
  const state = reporting(onState);
  let closed = false;
  let wait = 500;
  let aborter;
  let timer;
  let alarm;

  async function open() {
    aborter = new AbortController();
    const watch = () => {
      clearTimeout(alarm);
      alarm = setTimeout(() => aborter.abort(), SILENCE);
    };
    try {
      watch();
      const response = await fetch('/api/console/stream', {
        headers: headers({ Accept: 'text/event-stream' }),
        signal: aborter.signal,
        cache: 'no-store',
      });
      if (response.status === 401 || response.status === 403) {
        clearTimeout(alarm);
        state('locked', response.status);
        return;
      }
      if (!response.ok) throw new Error(String(response.status));
      wait = 500;
      state('live');
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        watch();
        const blocks = (rest + part.value).split('\n\n');
        rest = blocks.pop();
        blocks.forEach(tell);
      }
    } catch {
      // said below
    }
    clearTimeout(alarm);
    if (!closed) {
      state('lost');
      timer = setTimeout(open, wait);
      wait = Math.min(5000, wait * 2);
    }
  }

  function tell(block) {
    let event = 'message';
    let data = '';
    for (const line of block.split('\n')) {
      if (line.startsWith('event: ')) event = line.slice(7);
      if (line.startsWith('data: ')) data += line.slice(6);
    }
    if (!data) return;
    const what = JSON.parse(data);
    if (event === 'you') setServerTime(what.now);
    heard(event, what);
  }

  open();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      clearTimeout(alarm);
      aborter.abort();
    },
  };
}

function reporting(listener) {
  return (...told) => {
    try {
      listener(...told);
    } catch (e) {
      reportError(e);
    }
  };
}
