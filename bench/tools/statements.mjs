// What Freshet's statements take, by the names of their files.
import fs from 'node:fs';
import path from 'node:path';
import { root } from './machine.mjs';

/** The words of a statement, without comments, parameters, numbers and texts: alike in the file and in the server. */
const wordsOf = sql => sql.replaceAll(/--.*$/gm, '').replaceAll(/'[^']*'|:#\w+|\$\d+/g, '')
  .match(/[a-z_]+/gi)?.join(' ') ?? '';

function names() {
  const folder = path.join(root, 'sql', 'queries');
  const files = fs.readdirSync(folder, { recursive: true }).filter(file => file.endsWith('.sql'));
  return new Map(files.map(file =>
    [wordsOf(fs.readFileSync(path.join(folder, file), 'utf8')), path.basename(file, '.sql')]));
}

/** Slowest first: [{name, calls, ms: mean of one call}] since the last reset, of those that ran `atLeast` times. */
export async function statementTimes(database, atLeast) {
  const known = names();
  const rows = await database.query(`SELECT query, calls, mean_exec_time AS ms FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND calls >= $1
    ORDER BY mean_exec_time DESC`, [atLeast]);
  return rows.map(({ query, calls, ms }) => ({ name: known.get(wordsOf(query)) ?? `"${query.slice(0, 40)}…"`, calls, ms }));
}

export const forgetTimes = database => database.query('SELECT pg_stat_statements_reset()');
