// graphile-worker with its local queue and with completions in batches, as its page on performance says.
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';
import { database, post, serve } from './protocol.mjs';

const logger = new Logger(() => () => {}),
  pgPool = new pg.Pool({ connectionString: database, max: 26 });
await (await makeWorkerUtils({ pgPool, logger })).migrate();
await run({
  pgPool,
  logger,
  noHandleSignals: true,
  taskList: { revalidate: ({ tag }) => post(tag) },
  preset: {
    worker: {
      logger,
      concurrentJobs: 24,
      maxPoolSize: 25,
      localQueue: { size: 500 },
      completeJobBatchDelay: 0,
      failJobBatchDelay: 0,
    },
  },
});
serve({
  insert: tags =>
    pgPool.query(
      `SELECT count(graphile_worker.add_job('revalidate', json_build_object('tag', t)))
    FROM unnest($1::text[]) t`,
      [tags],
    ),
  one: tag => pgPool.query(`SELECT graphile_worker.add_job('revalidate', json_build_object('tag', $1::text))`, [tag]),
  left: async () => +(await pgPool.query('SELECT count(*) AS n FROM graphile_worker._private_jobs')).rows[0].n,
});
