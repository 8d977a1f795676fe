import { createServer } from 'node:http';
import { once } from 'node:events';

/** A real HTTP server that answers as it is told and remembers what it was asked. */
export async function answers(answer) {
  const requests = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) {
      text += part;
    }
    requests.push({
      method: request.method,
      path: request.url,
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    });
    answer(response, requests.at(-1), request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    close() {
      server.closeAllConnections();
      server.close();
      return once(server, 'close');
    },
  };
}

export function json(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
