import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../../', import.meta.url));
const prettier = fileURLToPath(new URL('../node_modules/prettier/bin/prettier.cjs', import.meta.url));
const skip = !existsSync(prettier) && 'Prettier is not installed: npm ci in client/';

test('JavaScript, TypeScript and CSS look as Prettier writes them (./dev format)', { skip }, async () => {
  const check = [prettier, '--check', '--log-level', 'warn', '.'];
  const { stderr } = await promisify(execFile)(process.execPath, check, { cwd: root }).catch(error => error);
  assert.equal(stderr, '');
});
