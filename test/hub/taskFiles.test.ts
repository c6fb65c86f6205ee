import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataSetsFolder } from '../../src/files/hubFolder.ts';
import { hubEnvironment } from '../../src/hub/hubEnvironment.ts';
import { cachedTaskFiles, findTaskFiles } from '../../src/hub/taskFiles.ts';
import { failureOf } from '../support/expectCoded.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'espalier-task-files-'));
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

const COMMIT = 'c'.repeat(40);

function write(name: string): string {
  const file = path.join(home, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, name);
  return file;
}

/** Files of a data set in the cache of the hub, as Python's library lays it out. */
function cached(id: string, ...files: readonly string[]): readonly string[] {
  const folder = `hub/datasets--${id.replace('/', '--')}`;
  writeFileSync(write(`${folder}/refs/main`), COMMIT);
  return files.map((file, i) => {
    const blob = write(`${folder}/blobs/${i}`);
    const link = path.join(home, folder, 'snapshots', COMMIT, file);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(path.relative(path.dirname(link), blob), link);
    return link;
  });
}

const session = () => ({
  environment: hubEnvironment({ HF_HOME: home, HF_HUB_OFFLINE: '1' }),
  token: () => Promise.resolve(undefined),
});
const find = (task: string, shots = 0, said: { documents?: string; examples?: string } = {}) =>
  findTaskFiles({ task, shots, ...said }, session(), dataSetsFolder({ HF_HOME: home }));

describe('files of a task are found', () => {
  it.each<[string, string, readonly string[]]>([
    [
      'winogrande',
      'allenai/winogrande',
      ['winogrande_xl/validation-00000-of-00001.parquet', 'winogrande_xl/train-00000-of-00001.parquet'],
    ],
    ['hellaswag', 'Rowan/hellaswag', ['data/validation-00000-of-00001.parquet', 'data/train-00000-of-00001.parquet']],
    ['boolq', 'super_glue', ['boolq/validation-00000-of-00001.parquet', 'boolq/train-00000-of-00001.parquet']],
    [
      'arc_challenge',
      'allenai/ai2_arc',
      ['ARC-Challenge/test-00000-of-00001.parquet', 'ARC-Challenge/train-00000-of-00001.parquet'],
    ],
    ['piqa', 'baber/piqa', ['piqa_validation.parquet', 'piqa_train.parquet']],
    ['mmlu', 'cais/mmlu', ['all/test-00000-of-00001.parquet', 'all/dev-00000-of-00001.parquet']],
    ['mmlu_astronomy', 'cais/mmlu', ['astronomy/test-00000-of-00001.parquet', 'astronomy/dev-00000-of-00001.parquet']],
    ['mmlu_astronomy', 'cais/mmlu', ['all/test-00000-of-00001.parquet', 'all/dev-00000-of-00001.parquet']],
    ['gsm8k', 'openai/gsm8k', ['main/test-00000-of-00001.parquet', 'main/train-00000-of-00001.parquet']],
  ])('%s by name in the cache of the hub, of %s', async (task, id, files) => {
    const [documents, examples] = cached(id, ...files, `socratic/test-00000-of-00001.parquet`);
    expect(await find(task)).toEqual({ documents });
    expect(await find(task, 2)).toEqual({ documents, examples });
  });

  it('by name in the copies of `datasets`, that which was written last', async () => {
    const place = (hash: string, split: string) =>
      `datasets/allenai___ai2_arc/ARC-Easy/0.0.0/${hash}/ai2_arc-${split}.arrow`;
    const [old, documents, examples] = [place('a', 'test'), place('b', 'test'), place('b', 'train')].map(write);
    utimesSync(old!, 1, 1);
    expect(await find('arc_easy', 1)).toEqual({ documents, examples });
  });

  it.each<[string, string, string, string]>([
    ['piqa', '', 'piqa.jsonl', 'piqa.train.jsonl'],
    ['piqa', '', 'valid.jsonl', 'train.jsonl'],
    ['winogrande', '', 'dev.jsonl', 'train_xs.jsonl'],
    ['arc_easy', '', 'ARC-Easy/ARC-Easy-Test.jsonl', 'ARC-Easy/ARC-Easy-Train.jsonl'],
    ['mmlu', '', 'test', 'dev'],
    ['mmlu', 'test', 'test', 'dev'],
    ['mmlu_law', '', 'test/law_test.csv', 'dev/law_dev.csv'],
    ['piqa', 'piqa.jsonl', 'piqa.jsonl', 'piqa.train.jsonl'],
    ['mine', 'questions.jsonl', 'questions.jsonl', 'questions.train.jsonl'],
    ['mine', 'ARC-Easy-Test.jsonl', 'ARC-Easy-Test.jsonl', 'ARC-Easy-Train.jsonl'],
    ['mmlu_law', 'test/law_test.csv', 'test/law_test.csv', 'dev/law_dev.csv'],
    [
      'arc_easy',
      'x/validation-00000-of-00001.parquet',
      'x/validation-00000-of-00001.parquet',
      'x/train-00000-of-00001.parquet',
    ],
  ])('%s by the path "%s"', async (task, said, documents, examples) => {
    for (const name of [documents, examples]) write(name.includes('.') ? name : `${name}/a_${name}.csv`);
    expect(await find(task, 1, { documents: path.join(home, said) })).toEqual({
      documents: path.join(home, documents),
      examples: path.join(home, examples),
    });
  });

  it('by names on the hub, the other split beside', async () => {
    const [documents, examples] = cached('me/mine', 'a/test-00000-of-00001.parquet', 'a/train-00000-of-00001.parquet');
    expect(await find('mine', 1, { documents: 'hf:me/mine/a:test' })).toEqual({ documents, examples });
    expect(await find('mine', 1, { documents: examples!, examples: 'hf:me/mine/a:test' })).toEqual({
      documents: examples,
      examples: documents,
    });
  });

  it('but of a task of one’s own need no examples', async () => {
    const documents = write('mine.jsonl');
    const template = { context: '', choices: { texts: ['a', 'b'] }, gold: 'g' };
    const own = { task: 'mine', shots: 1, documents, template };
    expect(await findTaskFiles(own, session(), path.join(home, 'datasets'))).toEqual({ documents });
  });
});

describe('what is missing is said', () => {
  it.each<[string, string, number, string | undefined, string, string]>([
    ['a name that no cache has', 'piqa', 0, undefined, 'hub/offline', ''],
    ['a name that nobody knows', 'mine', 0, undefined, 'tasks/not-found', 'the name of a file'],
    ['a folder without it', 'piqa', 0, '', 'tasks/not-found', 'piqa.jsonl'],
    ['examples', 'piqa', 1, 'a.jsonl', 'tasks/not-found', 'piqa.train.jsonl'],
  ])('%s', async (_, task, shots, documents, code, expected) => {
    write('a.jsonl');
    const said = documents === undefined ? {} : { documents: path.join(home, documents) };
    const { data } = await failureOf(() => find(task, shots, said));
    expect(data.code).toBe(code);
    expect(data.expected).toContain(expected);
    expect(await cachedTaskFiles({ task, shots, ...said }, { cache: path.join(home, 'hub') }, home)).toBeUndefined();
  });
});
