import { describe, expect, it } from 'vitest';
import type { CompletionItem } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import type { CachedName } from '../../src/experiment/cachedName.ts';
import { complete } from '../../src/language/server/completion.ts';
import { cursor } from './marked.ts';

const USED = Date.UTC(2026, 10, 22);
const TINY: CachedName = { kind: 'model', reference: 'hf:o/tiny', bytes: 2_500_000, used: USED, isComplete: true };
const BEGUN: CachedName = { ...TINY, reference: 'hf:o/begun', used: 0, isComplete: false };
const TEST = 'hf:Salesforce/wikitext/wikitext-2-raw-v1:test';
const WIKITEXT: CachedName = { kind: 'dataset', reference: TEST, bytes: 733_000, used: USED, isComplete: true };
const OWN: CachedName = { ...WIKITEXT, reference: 'hf:o/own/rows.jsonl', used: Infinity };
const CACHED = [TINY, WIKITEXT, BEGUN, OWN];

const MODELS = ['hf:o/tiny', 'hf:o/begun'];
const TEXTS = [
  TEST,
  'hf:o/own/rows.jsonl',
  'hf:allenai/c4/en/c4-train.00000-of-01024.json.gz',
  'hf:Salesforce/wikitext/wikitext-2-raw-v1:train',
];

function offered(marked: string, trigger?: string): CompletionItem[] {
  const { document, source, offset } = cursor(marked);
  return complete(document, source, offset, { cached: CACHED, trigger });
}

describe('names on the hub', () => {
  it.each<[text: string, expected: readonly string[]]>([
    ['model m = "hf:|', MODELS],
    ['model m = "hf:|"', MODELS],
    ['model m = "|"', MODELS],
    ['model m = "h|\nmetric a = W', MODELS],
    ['corpus c = "hf:|', TEXTS],
    ['corpus c = "hf:Salesforce/|" (rows: wikitext)', TEXTS],
    ['experiment e { model: "hf:|', MODELS],
    ['experiment e { model: "hf:| }', MODELS],
    ['experiment e { model: m evaluate: "hf:|" at: 50% }', TEXTS],
    ['experiment e {\n  calibrate: "hf:|" (samples: 3)\n  at: 50%\n}', TEXTS],
    ['experiment e { gradients: "hf:|', TEXTS],
    ['search s { test: "hf:|', TEXTS],
    ['defaults { model: "hf:|" }', MODELS],
    // Paths, and places that name neither.
    ['model m = "./|"', []],
    ['model m = "models/|"', []],
    ['corpus c = "C:\\|"', []],
    ['model m = hf:|', []],
    ['model m "hf:|', []],
    ['model m = "x" "hf:|', []],
    ['corpus c = "x" (rows: "hf:|', []],
    ['experiment e { prune: "hf:|', []],
    ['experiment e { "hf:|', []],
    ['metric a = "hf:|', []],
    ['"hf:|', []],
    ['model m = "x" // "hf:|', []],
  ])('%j', (text, expected) => {
    expect(offered(text).map(({ filterText }) => filterText)).toEqual(expected);
  });

  it.each<[text: string, expected: string]>([
    ['model m = "hf:|', 'model m = "hf:o/tiny"'],
    ['model m = "hf:o|"', 'model m = "hf:o/tiny"'],
    ['model m = "|"\nmetric a = W', 'model m = "hf:o/tiny"\nmetric a = W'],
    // All of what was there goes.
    ['experiment e { model: "hf:o/|old@1" at: 50% }', 'experiment e { model: "hf:o/tiny" at: 50% }'],
    // The second quote of another text is not this one's.
    ['experiment e { model: "hf:| calibrate: "t" }', 'experiment e { model: "hf:o/tiny" calibrate: "t" }'],
    ['experiment e {\n  model: "hf:|\n}', 'experiment e {\n  model: "hf:o/tiny"\n}'],
  ])('put into %j', (text, expected) => {
    const [first] = offered(text);
    const edit = first!.textEdit as { range: never; newText: string };
    expect(TextDocument.applyEdits(cursor(text).source, [edit])).toBe(expected);
  });

  it('say how large they are, when they were used, and which protocols read them', () => {
    const [tiny, begun] = offered('model m = "hf:|');
    expect(tiny).toMatchObject({ labelDetails: { description: '2.5 MB' }, detail: '2.5 MB · last used 2026-11-22' });
    expect(begun).toMatchObject({ labelDetails: { description: 'incomplete' }, detail: '2.5 MB' });
    expect(JSON.stringify(begun!.documentation)).toContain('the rest would be downloaded');
    const [test, own, c4] = offered('corpus c = "hf:|');
    expect(test!.detail).toBe('730 kB · last used 2026-11-22');
    expect(JSON.stringify(test!.documentation)).toMatch(/WikiText-2, test.*`wanda`: `evaluate`.*`flap`: `evaluate`/);
    expect(own!.detail).toBe('730 kB');
    expect(own!.documentation).toBeUndefined();
    expect(c4!.detail).toBe('not on this machine yet');
    expect([test, own, c4].map((item) => [item!.label, item!.labelDetails?.description])).toEqual([
      ['wikitext-2-raw-v1:test', 'Salesforce/wikitext'],
      ['rows.jsonl', 'o/own'],
      ['en/c4-train.00000-of-01024.json.gz', '↓ allenai/c4'],
    ]);
    expect(JSON.stringify(c4!.documentation)).toContain('C4, shard 0');
  });

  it('are there before anything is known of the cache', () => {
    const { document, source, offset } = cursor('corpus c = "hf:|');
    expect(complete(document, source, offset)).toHaveLength(3);
  });
});

it.each(['"', '/', '@'])('%j asks between quotes alone', (trigger) => {
  expect(offered('model m = "hf:|"', trigger)).toHaveLength(2);
  expect(offered('experiment e { model: "x"| }', trigger)).toEqual([]);
  expect(offered('metric a = W /|', trigger)).toEqual([]);
  expect(offered('metric a = W /|')).not.toEqual([]);
});
