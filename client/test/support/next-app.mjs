/**
 * A web server with the routes of a Next.js app, by real Request and Response objects. It prints its address; what it
 * was told is under /told.
 */
import { createServer } from 'node:http';
import { revalidateHandler } from '../../revalidate.js';

// the failures are wanted
console.error = () => {};
const told = [];
const failing = new Set();

function revalidateTag(tag, profile) {
  told.push({ tag, profile, failed: failing.has(tag) });
  if (failing.has(tag)) {
    throw new Error('as the test wants it');
  }
}

const POST = revalidateHandler({ secret: process.env.REVALIDATION_SECRET, revalidateTag });
const batch = revalidateHandler({ secret: process.env.INTERNAL_API_KEY, revalidateTag });

// only the signature counts here
const signedOnly = request => {
  const headers = new Headers(request.headers);
  headers.delete('x-revalidation-secret');
  return POST(new Request(request, { headers, duplex: 'half' }));
};

const routes = {
  '/api/revalidate': signedOnly,
  '/api/internal/cache/invalidate': batch,
  '/told': () => Response.json(told),
  '/fail': async request => {
    const { tag, fails } = await request.json();
    failing[fails ? 'add' : 'delete'](tag);
    return Response.json({});
  },
};

const server = createServer(async (incoming, outgoing) => {
  const hasBody = incoming.method === 'POST';
  const request = new Request(`http://localhost${incoming.url}`, {
    method: incoming.method,
    headers: incoming.headers,
    ...(hasBody ? { body: incoming, duplex: 'half' } : {}),
  });
  const answer = await (routes[incoming.url] ?? (() => new Response('', { status: 404 })))(request);
  outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
