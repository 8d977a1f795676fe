// One process of a small app, as Next.js runs several of them: pages in its own memory, by their tags; the route
// handler is freshet-client's. It reads its data from DATA_URL, which reads the replica.
import http from 'node:http';
import { revalidateHandler } from '../../../client/revalidate.js';

const pages = new Map();
let revalidations = 0;
let held = null;

const POST = revalidateHandler({
  secret: process.env.REVALIDATION_SECRET,
  revalidateTag(tag) {
    revalidations++;
    for (const [path, page] of pages) if (page.tags.includes(tag)) pages.delete(path);
  },
});

async function page(path) {
  const known = pages.get(path);
  if (known) return known;
  const before = revalidations;
  const made = { text: await (await fetch(process.env.DATA_URL + path)).text(), tags: ['courses'], keep: true };
  made.keep = before === revalidations; // otherwise it may be made of what was there before
  if (made.keep) pages.set(path, made);
  return made;
}

const answers = {
  /** Calls for the tag are not taken until it is let go. */
  async hold() {
    let release;
    held = { until: new Promise(done => (release = done)), release };
  },
  async release() {
    held?.release();
    held = null;
  },
};

const server = http.createServer(async (request, response) => {
  if (request.method === 'POST') {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString();
    if (JSON.parse(body).tag === 'courses') await held?.until;
    const answer = await POST(
      new Request('http://app' + request.url, { method: 'POST', headers: request.headers, body }),
    );
    return response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  }
  const asked = answers[request.url.slice(2)];
  if (asked) return response.end(String((await asked()) ?? ''));
  const { text, tags, keep } = await page(request.url);
  response.writeHead(200, { xkey: tags.join(' '), 'cache-control': keep ? 's-maxage=3600' : 'no-store' }).end(text);
});
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () =>
  console.log(`http://127.0.0.1:${server.address().port}`),
);
