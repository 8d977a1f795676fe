// writers, 8 and 32 clients, a tag for each row, with Freshet draining beside them on the same cores
import { row, show } from '../tools/figures.mjs';
import { startFreshet } from '../tools/freshet.mjs';
import { until } from '../tools/processes.mjs';
import { compare, createRows, OWN_ROW } from './writers.mjs';

export async function measure({ server, receiver, size, ends }) {
  const { database, left } = ends(await startFreshet(server, receiver)),
    rows = [];
  await createRows(database);
  const pending = async () => (await database.query('SELECT EXISTS (SELECT FROM freshet.inbox) AS some'))[0].some;
  for (const [clients, atLeast] of [
    [8, 0.45],
    [32, 0.5],
  ]) {
    const { bare, watching } = await compare(size, {
      load: () => database.pgbench(OWN_ROW, { clients, seconds: size.writerSeconds }),
      on: () => database.query(`SELECT cache_invalidation_watch('rows', ARRAY['row:{id}'])`),
      off: () => database.query(`SELECT cache_invalidation_unwatch('rows')`),
      between: () => until('all is delivered', async () => !(await pending()) && (await left()) === 0, { every: 200 }),
    });
    rows.push(
      row(`writers, ${clients} clients, Freshet draining beside them`, {
        freshet: `${show(watching)} tps`,
        beside: `without ${show(bare)}`,
        ratio: watching / bare,
        goal: { atLeast },
      }),
    );
  }
  return rows;
}
