import { createServer } from 'node:http';
import { once } from 'node:events';

/** Section 4's stream and history over real HTTP, with the faults that networks have. */
export async function liveServer() {
  const history = [];
  const streams = new Set();
  const requests = [];
  let published = 0;
  const faults = { stream: 200, holdBack: false, history: 200, named: false, noHello: false };

  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const [, , eid, what] = url.pathname.split('/');
    requests.push({
      what,
      eid,
      query: Object.fromEntries(url.searchParams),
      lastEventId: request.headers['last-event-id'],
    });
    response.setHeader('access-control-allow-origin', '*');
    if (what === 'stream') {
      const named = faults.named || url.searchParams.get('as') !== 'message';
      stream({ eid, named, response }, request.headers['last-event-id'] ?? url.searchParams.get('lastEventId'));
    } else {
      page(eid, url.searchParams, response);
    }
  });

  function stream(reader, after) {
    const { eid, response } = reader;
    if (faults.stream !== 200) {
      response.writeHead(faults.stream).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': open\n\n');
    streams.add(reader);
    response.on('close', () => streams.delete(reader));
    const hello = `event: hello\ndata: {"type":"hello","event_eid":"${eid}"}\n`;
    send(reader, `${reader.named || faults.noHello ? '' : hello}id: ${after ?? published}\n\n`);
    if (after !== null && after !== undefined) {
      history
        .filter(event => event.eid === eid && event.id > Number(after))
        .forEach(event => send(reader, text(event, reader)));
    }
  }

  function page(eid, query, response) {
    if (faults.history !== 200) {
      response.writeHead(faults.history).end();
      return;
    }
    const after = Number(query.get('after') ?? 0);
    const lost = query.has('after') && after < server.oldest - 1;
    const events = lost
      ? []
      : history.filter(event => event.eid === eid && event.id > after).slice(0, Number(query.get('limit') ?? 100));
    const next = lost ? published : (events.at(-1)?.id ?? after);
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(
        JSON.stringify({ events: events.map(({ id, type, payload }) => ({ id, type, payload })), next, reset: lost }),
      );
  }

  const text = ({ id, type, payload }, { named }) =>
    `${named ? `event: ${type}\n` : ''}data: ${JSON.stringify(payload)}\nid: ${id}\n\n`;
  const send = (reader, block) => faults.holdBack || reader.response.write(block);
  const readers = eid => [...streams].filter(reader => reader.eid === eid);

  server.oldest = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = server.address().port;

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    faults,
    streams: eid => readers(eid).length,
    asked: what => requests.filter(request => request.what === what),
    publish(eid, type = 'vote_cast', more = {}) {
      const endpoints = more.endpoints ?? [`/live/event/${eid}`];
      const event = {
        id: ++published,
        eid,
        type,
        payload: {
          type,
          event_eid: eid,
          endpoints,
          art_id: 'a1',
          round: 1,
          easel: 2,
          timestamp: 1_700_000_000,
          ...more,
        },
      };
      history.push(event);
      readers(eid).forEach(reader => send(reader, text(event, reader)));
      return event.id;
    },
    repeat(id) {
      const event = history.find(one => one.id === id);
      readers(event.eid).forEach(reader => send(reader, text(event, reader)));
    },
    write: (eid, block) => readers(eid).forEach(reader => send(reader, block)),
    /** As a server that is restarted, or a network that changes. */
    drop: () => streams.forEach(reader => reader.response.destroy()),
    forget: () => {
      server.oldest = published + 1;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
    async down() {
      await this.close();
    },
    async up() {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
  };
}
