import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const client = new URL('../', import.meta.url);
const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', client));
const skip = !existsSync(tsc) && 'TypeScript is not installed: npm ci in client/';

test('a program that uses everything as the documents say compiles, and wrong uses do not', { skip }, async () => {
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2023,dom'];
  const { stdout } = await promisify(execFile)(process.execPath, [
    tsc,
    ...options,
    fileURLToPath(new URL('test/support/types.mts', client)),
  ]).catch(error => error);
  assert.equal(stdout, '');
});

test('the declarations name exactly what the modules export', async () => {
  for (const name of ['index', 'cache', 'fence', 'live', 'revalidate', 'settings', 'tags']) {
    const declared = await readFile(new URL(`${name}.d.ts`, client), 'utf8');
    for (const exported of Object.keys(await import(new URL(`${name}.js`, client)))) {
      const isInternal = name === 'settings' && exported !== 'configure';
      assert.ok(isInternal || new RegExp(`\\b${exported}\\b`).test(declared), `${exported} of ${name}`);
    }
  }
});

test('every entry of the package is a file, and index.js needs no React', async () => {
  const { exports: entries, files } = JSON.parse(await readFile(new URL('package.json', client), 'utf8'));
  for (const entry of Object.values(entries).flatMap(value =>
    typeof value === 'string' ? value : Object.values(value),
  )) {
    assert.ok(existsSync(new URL(entry, client)), entry);
  }
  assert.deepEqual(files, ['*.js', '*.d.ts']);
  for (const name of (await readdir(client)).filter(file => file.endsWith('.js') && file !== 'react.js')) {
    assert.ok(!/from 'react'|from 'node:|require\(/.test(await readFile(new URL(name, client), 'utf8')), name);
  }
});
