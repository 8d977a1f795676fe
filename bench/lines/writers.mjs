// writers, 32 clients, nothing draining: what a watch costs their transactions (distinct, hot, held 5 ms), and bids
import { row, show, sum } from '../tools/figures.mjs';
import { startFreshet } from '../tools/freshet.mjs';
import { until } from '../tools/processes.mjs';

/** Each client has 300 rows of its own, so that they wait for each other nowhere but at what Freshet adds. */
export const OWN_ROW = '\\set id :client_id*300 + random(1, 300)\nUPDATE rows SET v = v + 1 WHERE id = :id;\n';
const HELD =
  '\\set id :client_id*300 + random(1, 300)\nBEGIN;\nUPDATE rows SET v = v + 1 WHERE id = :id;\n' +
  '\\sleep 5 ms\nCOMMIT;\n';
const BID = '\\set id random(0, 999)\nINSERT INTO bids (art_id, amount) VALUES (:id, 5);\n';

export async function measure({ server, receiver, size, ends }) {
  const freshet = ends(await startFreshet(server, receiver)),
    { database } = freshet;
  await createRows(database);
  await createAuction(database);
  const withRelay = await bids(database, size, true);
  await freshet.kill();
  const alone = await bids(database, size, false);
  const watched = async (script, template) =>
    compare(size, {
      load: () => database.pgbench(script, { clients: 32, seconds: size.writerSeconds }),
      on: () => database.query(`SELECT cache_invalidation_watch('rows', ARRAY['${template}'])`),
      off: () => database.query(`SELECT cache_invalidation_unwatch('rows')`),
      between: () => emptied(database),
    });
  const line = (what, { bare, watching }, atLeast) =>
    row(`writers, 32 clients: ${what}`, {
      freshet: `${show(watching)} tps`,
      beside: `without ${show(bare)}`,
      ratio: watching / bare,
      goal: atLeast && { atLeast },
    });
  return [
    { ...line('a tag for each row', await watched(OWN_ROW, 'row:{id}'), 0.6), inReadme: true },
    line('one hot tag', await watched(OWN_ROW, 'hot:{hot}'), 0.75),
    line('one hot tag, held for 5 ms', await watched(HELD, 'hot:{hot}'), 0.95),
    line('bids, nobody reading what they append', alone, 0.6),
    line('bids, the relay at work on the same cores', withRelay),
  ];
}

export async function createRows(database) {
  await database.query(`CREATE TABLE rows (id int PRIMARY KEY, hot int DEFAULT 1, v int DEFAULT 0,
      title text DEFAULT 'a title') WITH (fillfactor = 50);
    INSERT INTO rows SELECT i FROM generate_series(1, 100000) i`);
  await database.query('VACUUM ANALYZE rows');
}

/** The tables of the replaced system's live events. */
function createAuction(database) {
  return database.query(`CREATE TABLE events (id int PRIMARY KEY, eid text);
    CREATE TABLE art (id int PRIMARY KEY, event_id int REFERENCES events, round int, easel int, status text,
      description text);
    CREATE TABLE votes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, art_id int REFERENCES art);
    CREATE TABLE bids (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, art_id int REFERENCES art, amount numeric,
      placed_at timestamptz DEFAULT now());
    CREATE TABLE art_media (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, artwork_id int REFERENCES art);
    INSERT INTO events SELECT n, 'E' || n FROM generate_series(1, 100) n;
    INSERT INTO art SELECT n, 1 + n % 100, 1 + n / 100, n % 100 FROM generate_series(0, 999) n`);
}

function bids(database, size, relayed) {
  return compare(size, {
    load: () => database.pgbench(BID, { clients: 32, seconds: size.writerSeconds }),
    on: () => database.query('SELECT install_live_events()'),
    off: () => database.query('SELECT live_events_off()'),
    between: async () => {
      if (relayed) await until('the relay has read all', () => isEmpty(database, 'live_outbox'));
      else await emptied(database);
    },
  });
}

const isEmpty = async (database, table) =>
  !(await database.query(`SELECT EXISTS (SELECT FROM freshet.${table}) AS some`))[0].some;

/** What nobody reads while nothing drains. */
async function emptied(database) {
  await database.query('TRUNCATE freshet.inbox, freshet.live_outbox');
}

/** Transactions a second without and with it, in turns. */
export async function compare({ writerWarmUp, writerRounds }, { load, on, off, between }) {
  const bare = [],
    watching = [];
  for (let round = -writerWarmUp; round < writerRounds; round++) {
    const without = await load();
    await on();
    const watched = await load();
    await off();
    await between();
    if (round < 0) continue;
    bare.push(without);
    watching.push(watched);
  }
  return { bare: sum(bare) / writerRounds, watching: sum(watching) / writerRounds };
}
