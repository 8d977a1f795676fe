// pg-boss with what its documentation offers for speed: batches, several workers, LISTEN/NOTIFY in place of polling.
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { database, post, serve } from './protocol.mjs';

const INSERTED_AT_ONCE = 5000,
  CALLS_AT_ONCE = 8;
const pool = new pg.Pool({ connectionString: database, max: 2 });
const boss = new PgBoss({ connectionString: database, max: 20, useListenNotify: true });
boss.on('error', () => {});
await boss.start();
await boss.createQueue('revalidate', { notify: true });
await boss.work(
  'revalidate',
  {
    batchSize: 500,
    localConcurrency: 4,
    pollingIntervalSeconds: 0.5,
    notifyPollingIntervalSeconds: 5,
    burstWhenBatchFull: true,
  },
  async jobs => {
    let next = 0;
    const caller = async () => {
      while (next < jobs.length) await post(jobs[next++].data.tag);
    };
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, caller));
  },
);
serve({
  async insert(tags) {
    for (let i = 0; i < tags.length; i += INSERTED_AT_ONCE) {
      await boss.insert(
        'revalidate',
        tags.slice(i, i + INSERTED_AT_ONCE).map(tag => ({ data: { tag } })),
      );
    }
  },
  one: tag => boss.send('revalidate', { tag }),
  left: async () =>
    +(await pool.query(`SELECT count(*) AS n FROM pgboss.job WHERE name = 'revalidate' AND state <> 'completed'`))
      .rows[0].n,
});
