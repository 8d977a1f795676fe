// The one target that all systems call, in a process of its own, so that its counting costs none of them time.
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { now, start } from './processes.mjs';

/** Tags that begin so are always answered with 500. */
export const BROKEN = 'broken-';

if (process.argv[1] === fileURLToPath(import.meta.url)) receive();

export async function startReceiver() {
  const { child, kill } = start(process.execPath, [fileURLToPath(import.meta.url)]);
  const url = await new Promise(done => child.stdout.once('data', text => done(`${text}`.trim())));
  const ask = async path => (await fetch(url + path)).json();
  return {
    url,
    kill,
    reset: () => ask('/reset'),
    /** {calls, distinct, first, last}: since the last reset; times in ms since the epoch */
    seen: () => ask('/seen'),
    /** {tag: when it was first called for} */
    arrivals: () => ask('/arrivals'),
    /** When a tag was first called for; undefined where it was not. */
    arrival: async tag => (await ask(`/arrival/${tag}`)).at,
  };
}

function receive() {
  let seen, arrivals;
  const reset = () => {
    seen = { calls: 0, distinct: 0, first: 0, last: 0 };
    arrivals = new Map();
    return {};
  };
  const answers = {
    '/reset': reset,
    '/seen': () => ({ ...seen, distinct: arrivals.size }),
    '/arrivals': () => Object.fromEntries(arrivals),
    '/arrival': tag => ({ at: arrivals.get(tag) }),
  };
  reset();
  const server = http.createServer((request, response) => {
    const at = now();
    if (request.method === 'GET') {
      const [, question, tag] = request.url.split('/');
      return response.end(JSON.stringify(answers[`/${question}`](tag)));
    }
    let text = '';
    request.on('data', part => {
      text += part;
    });
    request.on('end', () => {
      const { tag, tags } = JSON.parse(text);
      seen.calls++;
      seen.first ||= at;
      seen.last = at;
      for (const each of tags ?? [tag]) if (!arrivals.has(each)) arrivals.set(each, at);
      response
        .writeHead(`${tag}`.startsWith(BROKEN) ? 500 : 200, { 'content-type': 'application/json', 'content-length': 2 })
        .end('{}');
    });
  });
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1', 2048, () => console.log(`http://127.0.0.1:${server.address().port}`));
}
