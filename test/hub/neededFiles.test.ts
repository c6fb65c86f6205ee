import { describe, expect, it } from 'vitest';
import { modelFiles, offeredParts, shardsOf, splitFiles } from '../../src/hub/neededFiles.ts';

const named = (...paths: readonly string[]): readonly { readonly path: string }[] => paths.map((path) => ({ path }));

describe('the files of a model', () => {
  const index = 'model.safetensors.index.json';
  it.each([
    [
      'one file',
      ['config.json', 'tokenizer.json', 'model.safetensors', 'pytorch_model.bin'],
      ['config.json', 'tokenizer.json', 'model.safetensors'],
    ],
    [
      'one file beside shards',
      ['config.json', 'model.safetensors', index, 'model-00001-of-00001.safetensors'],
      ['config.json', 'model.safetensors'],
    ],
    [
      'shards, never Mistral’s own as well',
      [
        'config.json',
        index,
        'model-00001-of-00002.safetensors',
        'model-00002-of-00002.safetensors',
        'consolidated.safetensors',
      ],
      ['config.json', index, 'model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'],
    ],
    [
      'another tokenizer where there is no tokenizer.json',
      ['config.json', 'vocab.json', 'merges.txt', 'model.safetensors'],
      ['config.json', 'vocab.json', 'merges.txt', 'model.safetensors'],
    ],
    [
      'licences',
      ['config.json', 'LICENSE', 'NOTICE.txt', 'model.safetensors'],
      ['config.json', 'LICENSE', 'NOTICE.txt', 'model.safetensors'],
    ],
  ])('%s', (_, all, files) => {
    expect(modelFiles(named(...all))).toEqual({ files });
  });

  it.each([
    ['no config.json', ['model.safetensors'], /no config\.json/],
    ['pickled weights alone', ['config.json', 'pytorch_model.bin'], /weights as pytorch_model\.bin/],
    ['no weights', ['config.json'], /^no weights/],
  ])('%s is a problem', (_, all, problem) => {
    expect(modelFiles(named(...all))).toEqual({ problem: expect.stringMatching(problem) as string });
  });

  it.each([
    ['names', { weight_map: { a: 'b.safetensors', c: 'b.safetensors' } }, ['b.safetensors']],
    ['a name that leads elsewhere', { weight_map: { a: '../b.safetensors' } }, undefined],
    ['a number', { weight_map: { a: 1 } }, undefined],
    ['no map', { weight_map: [] }, undefined],
    ['nothing', null, undefined],
  ])('an index with %s', (_, value, shards) => {
    expect(shardsOf(value)).toEqual(shards);
  });
});

describe('the files of a split', () => {
  it.each([
    [
      'a folder of the configuration',
      'wikitext-2-raw-v1',
      'test',
      [
        'wikitext-2-raw-v1/test-00000-of-00001.parquet',
        'wikitext-2-raw-v1/train-00000-of-00001.parquet',
        'wikitext-2-v1/test-00000-of-00001.parquet',
      ],
      ['wikitext-2-raw-v1/test-00000-of-00001.parquet'],
    ],
    [
      'C4',
      'en',
      'train',
      [
        'en/c4-train.00000-of-00002.json.gz',
        'en/c4-train.00001-of-00002.json.gz',
        'en/c4-validation.00000-of-00001.json.gz',
        'en.noblocklist/c4-train.00000-of-00001.json.gz',
      ],
      ['en/c4-train.00000-of-00002.json.gz', 'en/c4-train.00001-of-00002.json.gz'],
    ],
    [
      'the folder data',
      undefined,
      'train',
      ['data/train-00000-of-00001-abc.parquet', 'other/train.parquet'],
      ['data/train-00000-of-00001-abc.parquet'],
    ],
    ['the root', undefined, 'test', ['ptb.test.txt', 'ptb.train.txt', 'README.md'], ['ptb.test.txt']],
    [
      'the branch with parquet',
      'default',
      'test',
      ['default/test/0000.parquet', 'default/train/0000.parquet'],
      ['default/test/0000.parquet'],
    ],
    [
      'a configuration in the names',
      'penn',
      'test',
      ['data/penn-test.jsonl', 'data/other-test.jsonl'],
      ['data/penn-test.jsonl'],
    ],
    ['another word for it', undefined, 'validation', ['data/valid.txt', 'data/train.txt'], ['data/valid.txt']],
    ['parquet before JSON', undefined, 'test', ['test.jsonl', 'test.parquet'], ['test.parquet']],
    [
      'several of one format, none of which is chosen',
      undefined,
      'train',
      ['train-a.txt', 'train-b.txt'],
      ['train-a.txt', 'train-b.txt'],
    ],
    ['a word within another', undefined, 'test', ['latest.txt', 'contest.txt'], []],
    ['a name with marks', undefined, 'a.b', ['a.b.txt', 'axb.txt'], ['a.b.txt']],
  ])('%s', (_, config, split, all, files) => {
    expect(splitFiles(named(...all), { ...(config !== undefined && { config }), split })).toEqual(files);
  });

  it('are offered as they are written', () => {
    const all = named('data/train-00000-of-00001.parquet', 'en/test.json.gz', 'notes.txt', 'script.py');
    expect(offeredParts(all)).toEqual(['/en:test', '/notes.txt', ':train']);
  });
});
