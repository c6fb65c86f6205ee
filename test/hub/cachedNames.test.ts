import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findCached } from '../../src/hub/cachedReference.ts';
import { cachedNames } from '../../src/hub/cachedNames.ts';
import { referenceTo } from '../../src/hub/locate.ts';
import { temporaryFolder } from './hubSession.ts';

const FIRST = 'a'.repeat(40);
const SECOND = 'b'.repeat(40);

/** A cache with the files of commits and the refs of each repository. */
function cacheOf(repositories: Readonly<Record<string, { refs?: object; commits: Record<string, string[]> }>>): string {
  const cache = temporaryFolder(onTestFinished);
  const put = (name: string, content: string): void => {
    mkdirSync(path.dirname(path.join(cache, name)), { recursive: true });
    writeFileSync(path.join(cache, name), content);
  };
  for (const [repository, { refs = {}, commits }] of Object.entries(repositories)) {
    put(`${repository}/blobs/abc.incomplete`, '');
    for (const [ref, commit] of Object.entries(refs)) put(`${repository}/refs/${ref}`, String(commit));
    for (const [commit, files] of Object.entries(commits)) {
      for (const file of files) put(`${repository}/snapshots/${commit}/${file}`, file);
    }
  }
  return cache;
}

const MODEL = ['config.json', 'tokenizer.json', 'model.safetensors'];
const main = { main: FIRST };

it.each<[what: string, repository: string, refs: object, commits: Record<string, string[]>, expected: string[]]>([
  ['a model', 'models--o--m', main, { [FIRST]: MODEL }, ['hf:o/m']],
  ['a name of one part', 'models--gpt2', main, { [FIRST]: MODEL }, ['hf:gpt2']],
  ['one without weights', 'models--o--m', main, { [FIRST]: ['config.json'] }, ['hf:o/m incomplete']],
  ['a download that was stopped', 'models--o--m', {}, {}, ['hf:o/m incomplete']],
  ['a tag', 'models--o--m', { step3: FIRST }, { [FIRST]: MODEL }, ['hf:o/m@step3']],
  [
    'main and a tag',
    'models--o--m',
    { alt: SECOND, main: FIRST },
    { [FIRST]: MODEL, [SECOND]: MODEL },
    ['hf:o/m', 'hf:o/m@alt'],
  ],
  ['a pinned commit', 'models--o--m', {}, { [FIRST]: MODEL }, ['hf:o/m@aaaaaaaaaaaa']],
  [
    'configurations and splits',
    'datasets--Salesforce--wikitext',
    main,
    {
      [FIRST]: [
        'wikitext-2-raw-v1/test-00000-of-00001.parquet',
        'wikitext-2-raw-v1/train-00000-of-00001.parquet',
        'README.md',
      ],
    },
    ['hf:Salesforce/wikitext/wikitext-2-raw-v1:test', 'hf:Salesforce/wikitext/wikitext-2-raw-v1:train'],
  ],
  [
    'a split of several files by its files',
    'datasets--allenai--c4',
    main,
    { [FIRST]: ['en/c4-train.00000-of-01024.json.gz', 'en/c4-train.00007-of-01024.json.gz'] },
    ['hf:allenai/c4/en/c4-train.00000-of-01024.json.gz', 'hf:allenai/c4/en/c4-train.00007-of-01024.json.gz'],
  ],
  ['a file of no split', 'datasets--o--d', main, { [FIRST]: ['alpaca.json', 'logo.png'] }, ['hf:o/d/alpaca.json']],
  [
    'two formats of a split',
    'datasets--o--d',
    main,
    { [FIRST]: ['test.parquet', 'test.jsonl'] },
    ['hf:o/d/test.jsonl', 'hf:o/d:test'],
  ],
  [
    'what was converted',
    'datasets--o--d',
    { 'refs/convert/parquet': FIRST },
    { [FIRST]: ['c/test/0000.parquet'] },
    ['hf:o/d/c:test'],
  ],
  ['a name that no reference has', 'datasets--o--d', main, { [FIRST]: ['a~b.json'] }, []],
])('%s', async (_, repository, refs, commits, expected) => {
  const cache = cacheOf({ [repository]: { refs, commits } });
  const names = await cachedNames(cache);
  const told = names.map(({ reference, isComplete }) => (isComplete ? reference : `${reference} incomplete`));
  expect(told.sort()).toEqual(expected);
  // What is offered needs nobody to be asked.
  for (const { kind, reference, isComplete } of names) {
    const found = await findCached({ cache }, referenceTo(reference, kind === 'model' ? 'model' : 'text'));
    expect('path' in found, reference).toBe(isComplete);
  }
});

it('sizes are those of files, and no link leads out of the cache', async () => {
  const cache = cacheOf({ 'datasets--o--d': { refs: main, commits: { [FIRST]: ['test.txt'] } } });
  const outside = path.join(temporaryFolder(onTestFinished), 'train.txt');
  writeFileSync(outside, 'secret');
  symlinkSync(outside, path.join(cache, 'datasets--o--d/snapshots', FIRST, 'train.txt'));
  expect(await cachedNames(cache)).toMatchObject([{ reference: 'hf:o/d:test', bytes: 8, kind: 'dataset' }]);
  expect(await cachedNames(path.join(cache, 'none'))).toEqual([]);
});
