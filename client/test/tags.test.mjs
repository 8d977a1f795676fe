import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tagFor } from '../tags.js';

/** dev.freshet.deliver.provider.SpellingTest holds Freshet to the same list. */
const spellings = JSON.parse(await readFile(new URL('support/spellings.json', import.meta.url), 'utf8'));

test('a tag is spelled as Freshet spells it', () => {
  for (const { tag, ...providers } of spellings) {
    for (const [provider, spelled] of Object.entries(providers)) {
      assert.equal(tagFor(provider, tag), spelled, `${tag} at ${provider}`);
    }
  }
});

test('what is longer than a provider takes ends in its digest', () => {
  for (let length = 100; length <= 256; length++) {
    const tag = 'é'.repeat(length);
    const digest = createHash('sha256').update(tag).digest('hex').slice(0, 40);
    assert.ok(tagFor('akamai', tag).endsWith(`~~${digest}`), tag);
    assert.equal(tagFor('akamai', tag).length, 128);
  }
});

test('what is no provider, or no tag, is refused', () => {
  assert.throws(() => tagFor('akami', 'a'), /"akami" is no provider: write one of cloudflare, /);
  assert.throws(() => tagFor('toString', 'a'), TypeError);
  assert.throws(() => tagFor('akamai', ''), TypeError);
  assert.throws(() => tagFor('akamai', 7), TypeError);
});
