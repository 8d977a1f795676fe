// How long a stats job takes beside its slowest function, and beside their sum, which the replaced worker took.
//   mvn -DskipTests package && npm install --prefix bench --package-lock=false && node bench/stats.mjs [--rounds 5]
// The functions sleep for 0.2, 0.4, 0.6 s and so on, so that the database is not the limit. Starts its own PostgreSQL
// (pg_config --bindir) and Freshet, and stops them.
import fs from 'node:fs';
import path from 'node:path';
import { option, sleep, stage, startFreshet, startPostgres } from './stage.mjs';

const rounds = +option('rounds', 5);
const routes = fs.readFileSync(path.join(import.meta.dirname, '..', 'routes', 'stats.camel.yaml'), 'utf8');
const names = [...routes.matchAll(/run\(\$\{body}, '(\w+)'/g)].map(([, name]) => name);
await stage(async () => {
  const server = await startPostgres(),
    db = server.client;
  for (const [i, name] of names.entries())
    await db.query(
      `CREATE FUNCTION ${name}() RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(${(0.2 * (i + 1)).toFixed(1)})'`,
    );
  await startFreshet(server);
  for (let round = 1; round <= rounds; round++) {
    const {
      rows: [{ id }],
    } = await db.query('INSERT INTO background_job_status DEFAULT VALUES RETURNING id');
    let job;
    do {
      await sleep(50);
      ({
        rows: [job],
      } = await db.query(
        `SELECT status, extract(epoch FROM completed_at - started_at) * 1000 AS ms, results
         FROM background_job_status WHERE id = $1`,
        [id],
      ));
    } while (!['completed', 'failed'].includes(job.status));
    const took = job.results.function_results.map(f => f.duration),
      slowest = Math.max(...took),
      sum = took.reduce((a, b) => a + b, 0);
    console.log(
      `round ${round}: ${job.status}, job ${Math.round(job.ms)} ms, slowest function ${slowest} ms, ` +
        `ratio ${(job.ms / slowest).toFixed(3)}; one after the other ${sum} ms`,
    );
  }
});
