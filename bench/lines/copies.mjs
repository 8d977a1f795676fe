// commit → the last copy: a streaming replica, three processes of an app, and an edge that is told after them
import fs from 'node:fs';
import path from 'node:path';
import { percentile, row, show } from '../tools/figures.mjs';
import { launch } from '../tools/freshet.mjs';
import { root } from '../tools/machine.mjs';
import { now, sleep, temporaryFolder, until } from '../tools/processes.mjs';
import { startReceiver } from '../tools/receiver.mjs';

const PROCESSES = 3;

const edge = url => `
- beans:
    - name: target-edge
      type: dev.freshet.deliver.Target
      properties: { name: edge, after: tag, address: "${url}" }
- route:
    id: target-edge
    routeConfigurationId: deliver
    from:
      uri: seda:target-edge
      steps:
        - process: { ref: tagOrTags }
        - to: { uri: "${url}", parameters: { httpMethod: POST, copyHeaders: false, ignoreResponseBody: true } }
        - to: { uri: "direct:delivered" }
`;

export async function measure({ server, size, ends }) {
  const copies = [];
  for (let i = 0; i <= PROCESSES; i++) copies.push(await startReceiver());
  const folder = temporaryFolder(),
    database = await server.database(),
    replica = await server.replica();
  fs.cpSync(path.join(root, 'routes'), path.join(folder, 'routes'), { recursive: true });
  fs.writeFileSync(path.join(folder, 'routes', 'targets', 'edge.camel.yaml'), edge(copies.at(-1).url));
  const freshet = await launch(
    {
      DATABASE_URL: database.url,
      FRESHET_REPLICAS: replica.urlOf(database.name),
      VERCEL_DEPLOYMENT_URL: copies
        .slice(0, PROCESSES)
        .map(({ url }) => url)
        .join(','),
      REVALIDATION_SECRET: 'bench-secret-0123456789',
      FRESHET_DEBOUNCE: '0',
    },
    { folder },
  );
  ends({
    async end() {
      await freshet.kill();
      copies.forEach(copy => copy.kill());
      replica.kill();
      await database.drop();
    },
  });
  await sleep(1500); // Camel reads the queues between routes from a second after the start on
  const taken = [];
  for (let i = 0; i < size.latencies; i++) {
    const tag = `copy-${i}`;
    await database.query('SELECT enqueue_cache_invalidation($1::text)', [tag]);
    const committed = now();
    const last = await until(`${tag} is everywhere`, () => arrivedEverywhere(copies, tag), { every: 20 });
    taken.push(Math.max(0, last - committed));
    await sleep(60 + 90 * Math.random());
  }
  return [
    row(`commit → the edge, after ${PROCESSES} processes and a streaming replica, debounce 0, the slowest`, {
      freshet: show(Math.max(...taken), 'ms'),
      beside: `${taken.length} changes, p50 ${show(percentile(taken, 0.5))}, p99 ${show(percentile(taken, 0.99))}`,
      value: Math.max(...taken),
      goal: { atMost: 1000, unit: 'ms' },
    }),
  ];
}

/** When the last of them was told; undefined while one was not. The edge must not be told before the others. */
async function arrivedEverywhere(copies, tag) {
  const times = await Promise.all(copies.map(copy => copy.arrival(tag)));
  if (times.some(at => at === undefined)) return undefined;
  if (times.at(-1) < Math.max(...times)) throw new Error(`the edge was told of ${tag} before a process of the app`);
  return Math.max(...times);
}
