// The table, and the places where it is kept.
import fs from 'node:fs';
import path from 'node:path';
import { root } from './machine.mjs';

const HEAD = ['| line | Freshet | beside it | ratio | goal | reached |', '|---|---|---|---|---|---|'];
const cells = ({ what, freshet, beside, ratio, goal, reached }) =>
  `| ${[what, freshet, beside, ratio, goal, reached].join(' | ')} |`;

/** @param results [{name, rows, failed}] */
export function table(results) {
  const rows = results.flatMap(({ name, rows, failed }) =>
    failed ? [{ what: name, freshet: 'failed', beside: failed, ratio: '', goal: '', reached: 'no' }] : rows,
  );
  return [...HEAD, ...rows.map(cells)].join('\n');
}

export function heading({ date, commit, cores, memory, jdk, postgres, node }, how, command) {
  return (
    `**${date}, commit ${commit}** \`${command}\`; ${cores}, ${memory}; JDK ${jdk}, PostgreSQL ${postgres}, ` +
    `Node ${node}; Freshet started by \`${how}\``
  );
}

export function writeResult(text) {
  const file = path.join(root, 'target', 'bench.md');
  fs.writeFileSync(file, text + '\n');
  return file;
}

const BEGIN = '<!-- written by bench/run --readme -->',
  END = '<!-- until here -->';

/** Puts a run into both READMEs: all of it into bench's, above the newest of another day; six rows into the first. */
export function writeReadmes(machine, head, results) {
  const runs = path.join(root, 'bench', 'README.md'),
    first = path.join(root, 'README.md');
  replace(runs, before => {
    const other = before
      .split(/^(?=\*\*\d{4}-)/m)
      .filter(run => /^\*\*\d{4}-/.test(run))
      .find(run => !run.startsWith(`**${machine.date}`));
    return [`${head}\n\n${table(results)}`, ...(other ? [other.trim()] : [])].join('\n\n');
  });
  const all = results.flatMap(({ rows }) => rows ?? []);
  const short = all.filter(row => row.inReadme).slice(0, 6);
  replace(first, () => `${head}\n\n${[...HEAD, ...short.map(cells)].join('\n')}`);
}

function replace(file, make) {
  const text = fs.readFileSync(file, 'utf8'),
    from = text.indexOf(BEGIN),
    to = text.indexOf(END);
  if (from < 0 || to < from) throw new Error(`${file} has no place that is marked ${BEGIN} … ${END}`);
  const inside = text.slice(from + BEGIN.length, to);
  fs.writeFileSync(file, `${text.slice(0, from)}${BEGIN}\n${make(inside)}\n\n${text.slice(to)}`);
}
