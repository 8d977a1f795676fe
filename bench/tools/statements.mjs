// What Freshet's statements take, by the names of their files.
import fs from 'node:fs';
import path from 'node:path';
import { root } from './machine.mjs';

/** The words of a statement, without comments, parameters, numbers and texts: alike in the file and in the server. */
const wordsOf = sql =>
  sql
    .replaceAll(/--.*$/gm, '')
    .replaceAll(/'[^']*'|:#\w+|\$\d+/g, '')
    .match(/[a-z_]+/gi)
    ?.join(' ') ?? '';

function names() {
  const folder = path.join(root, 'sql', 'queries');
  const files = fs.readdirSync(folder, { recursive: true }).filter(file => file.endsWith('.sql'));
  return new Map(
    files.map(file => [wordsOf(fs.readFileSync(path.join(folder, file), 'utf8')), path.basename(file, '.sql')]),
  );
}

/** Slowest first: [{name, calls, ms: mean of one call}], of those that were called `atLeast` so often. */
export async function statementTimes(server, database, atLeast) {
  const known = names();
  return (await server.statements(database))
    .filter(({ calls }) => calls >= atLeast)
    .sort((a, b) => b.ms - a.ms)
    .map(({ query, calls, ms }) => ({ name: known.get(wordsOf(query)) ?? `"${query.slice(0, 40)}…"`, calls, ms }));
}
