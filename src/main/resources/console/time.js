// Times as people say them; the exact one is in the title. The server's clock counts, whatever this machine's says.
import { h } from './dom.js';

let ahead = 0;
export const setServerTime = millis => {
  ahead = millis - Date.now();
};
export const now = () => Date.now() + ahead;

export function duration(ms) {
  if (ms === null || ms === undefined) return '–';
  if (ms < 1) return '<1 ms';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 60000) return `${Math.round(ms / 1000)} s`;
  if (ms < 3600000) return `${Math.floor(ms / 60000)} min ${Math.round((ms % 60000) / 1000)} s`;
  if (ms < 86400000) return `${Math.floor(ms / 3600000)} h ${Math.round((ms % 3600000) / 60000)} min`;
  return `${Math.floor(ms / 86400000)} d ${Math.round((ms % 86400000) / 3600000)} h`;
}

function coarse(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

const says = {
  ago: at => (now() - at < 1000 ? 'just now' : `${coarse(now() - at)} ago`),
  since: at => `for ${coarse(now() - at)}`,
};

export const exact = at => new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
export const clock = at =>
  new Date(at).toLocaleTimeString(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }) +
  '.' +
  String(new Date(at).getMilliseconds()).padStart(3, '0');

function relative(how, at) {
  if (!at) return h('span', { class: 'dim' }, '–');
  const millis = new Date(at).getTime();
  return h(
    'time',
    { datetime: new Date(millis).toISOString(), title: exact(millis), 'data-how': how },
    says[how](millis),
  );
}

export const ago = at => relative('ago', at);
export const since = at => relative('since', at);

setInterval(() => {
  for (const time of document.querySelectorAll('time[data-how]')) {
    const text = says[time.dataset.how](new Date(time.dateTime).getTime());
    if (time.textContent !== text) time.textContent = text;
  }
}, 1000);
