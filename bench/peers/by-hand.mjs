// What most projects write by hand: a table, a loop that looks into it once a second, eight calls at once, fetch.
import pg from 'pg';
import { database, serve, target } from './protocol.mjs';

const CALLS_AT_ONCE = 8,
  pool = new pg.Pool({ connectionString: database, max: CALLS_AT_ONCE });
await pool.query(`CREATE TABLE queue (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tag text,
    time_bucket timestamptz DEFAULT now(), processed_at timestamptz);
  CREATE INDEX queue_open ON queue (time_bucket) WHERE processed_at IS NULL`);

async function call(tag) {
  const answer = await fetch(target, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ tag }),
  });
  await answer.text();
  if (!answer.ok) throw new Error(`status ${answer.status}`);
}

async function turn() {
  const { rows } = await pool.query(
    'SELECT id, tag FROM queue WHERE processed_at IS NULL ORDER BY time_bucket LIMIT 10000',
  );
  const byTag = new Map();
  for (const { id, tag } of rows) byTag.set(tag, [...(byTag.get(tag) ?? []), id]);
  const waiting = byTag.entries();
  await Promise.all(
    Array.from({ length: CALLS_AT_ONCE }, async () => {
      for (const [tag, ids] of waiting) {
        await call(tag);
        await pool.query('UPDATE queue SET processed_at = now() WHERE id = ANY ($1)', [ids]);
      }
    }),
  );
  return rows.length;
}

(async () => {
  for (;;) if (!(await turn().catch(() => 0))) await new Promise(done => setTimeout(done, 1000));
})();
serve({
  insert: tags => pool.query('INSERT INTO queue (tag) SELECT unnest($1::text[])', [tags]),
  one: tag => pool.query('INSERT INTO queue (tag) VALUES ($1)', [tag]),
  left: async () => +(await pool.query('SELECT count(*) AS n FROM queue WHERE processed_at IS NULL')).rows[0].n,
});
