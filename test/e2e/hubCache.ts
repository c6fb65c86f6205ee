import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { HubServer } from '../hub/hubServer.ts';
import { parquetOf } from '../support/parquet.ts';

const SAMPLE = 'models/wikitext-llama-6m';
const COMMIT = '7'.repeat(40);

/** Python's cache as somebody has it who has fetched a model, WikiText-2's test text and a shard of C4; all of it is small. */
export function makeHubCache(cache: string, shared: string): void {
  rmSync(cache, { recursive: true, force: true });
  const corpus = (name: string): string => readFileSync(path.join(shared, 'data/wikitext-2', name), 'utf8');
  const rows = corpus('wiki.test.raw')
    .split('\n')
    .slice(0, 400)
    .map((line) => ({ text: line.trim() === '' ? '' : `${line}\n` }));
  const documents = corpus('valid.txt')
    .match(/[^]{4000}/g)!
    .slice(0, 40);
  const lines = documents.map((text, i) =>
    JSON.stringify({ text, timestamp: '2019-04-25T12:57:54Z', url: `https://${i}.example` }),
  );
  store(cache, 'datasets--allenai--c4', {
    'en/c4-train.00000-of-01024.json.gz': gzipSync(`${lines.join('\n')}\n`),
  });
  store(cache, 'datasets--Salesforce--wikitext', {
    'wikitext-2-raw-v1/test-00000-of-00001.parquet': parquetOf(rows, { codec: 'SNAPPY' }),
  });
  store(cache, 'models--espalier--tiny', sample(shared));
}

/** A hub that has one model, which the cache has not. */
export function startHub(shared: string): Promise<HubServer> {
  return HubServer.start({ 'models/lab/remote': { files: sample(shared), tags: ['license:apache-2.0'] } });
}

function sample(shared: string): Readonly<Record<string, Buffer>> {
  const folder = path.join(shared, SAMPLE);
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name))]));
}

/** As Python's library stores: bytes by their hash, and names as links to them. */
function store(cache: string, repository: string, files: Readonly<Record<string, Uint8Array>>): void {
  const folder = path.join(cache, repository);
  for (const [name, bytes] of Object.entries(files)) {
    const blob = path.join(folder, 'blobs', createHash('sha256').update(bytes).digest('hex'));
    const link = path.join(folder, 'snapshots', COMMIT, name);
    for (const file of [blob, link]) mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(blob, bytes);
    symlinkSync(path.relative(path.dirname(link), blob), link);
  }
  mkdirSync(path.join(folder, 'refs'));
  writeFileSync(path.join(folder, 'refs/main'), COMMIT);
}
