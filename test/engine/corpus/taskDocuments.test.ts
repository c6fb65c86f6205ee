import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTask, readDocuments } from '../../../src/engine/corpus/taskDocuments.ts';
import { failureOf } from '../../support/expectCoded.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'espalier-documents-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(name: string, content: string): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const planned = (task: string) => ({ task, shots: 0, limit: 0 });
const fieldsOf = async (task: string, file: string): Promise<readonly object[]> =>
  (await readDocuments(planned(task), file)).documents.map(({ fields }) => fields);

const LONG = 'a "quoted", text\nof two lines';

describe('documents are read', () => {
  it.each<[string, string, string, string, readonly object[]]>([
    [
      'GLUE’s table',
      'rte',
      'dev.tsv',
      'index\tsentence1\tsentence2\tlabel\n0\ta "b\tc\tentailment\n',
      [{ index: '0', sentence1: 'a "b', sentence2: 'c', label: 'entailment' }],
    ],
    [
      'MMLU’s, without names',
      'mmlu',
      'us_history_test.csv',
      '"a ""quoted"", text\nof two lines",x,"",3,4,B\n',
      [{ question: LONG, A: 'x', B: '', C: '3', D: '4', answer: 'B', subject: 'us_history' }],
    ],
    [
      'MMLU’s, with names',
      'mmlu',
      'mine.csv',
      'question,subject,A,B,C,D,answer\nq,s,1,2,3,4,0\n',
      [{ question: 'q', subject: 's', A: '1', B: '2', C: '3', D: '4', answer: '0' }],
    ],
    [
      'a log of the harness, of two filters and two GPUs',
      'gsm8k',
      'samples_gsm8k_2025.jsonl',
      lines(
        [2, 0, 1, 0, 2, 1].map((id) => ({
          doc_id: id,
          doc: { question: `q${id}`, answer: 'a' },
          target: 'a',
          arguments: {},
          resps: [],
        })),
      ),
      [0, 1, 2].map((id) => ({ question: `q${id}`, answer: 'a' })),
    ],
    [
      'documents with a field doc',
      'mine',
      'mine.jsonl',
      lines([{ doc: { a: 1 }, doc_id: 0 }]),
      [{ doc: { a: 1 }, doc_id: 0 }],
    ],
  ])('of %s', async (_, task, name, content, documents) => {
    const template = { context: '', choices: { texts: ['a', 'b'] }, gold: 'x' };
    const of = { ...planned(task), ...(task === 'mine' && { template }) };
    expect((await readDocuments(of, write(name, content))).documents.map(({ fields }) => fields)).toEqual(documents);
  });

  it('with the labels beside, of PIQA and WinoGrande', async () => {
    write('valid-labels.lst', '1\n0\n');
    expect(await fieldsOf('piqa', write('valid.jsonl', lines([{ goal: 'a' }, { goal: 'b' }])))).toEqual([
      { goal: 'a', label: '1' },
      { goal: 'b', label: '0' },
    ]);
    write('dev-labels.lst', '2');
    expect(await fieldsOf('winogrande', write('dev.jsonl', lines([{ sentence: '_' }])))).toEqual([
      { sentence: '_', answer: '2' },
    ]);
  });

  it('of all files of a folder of MMLU', async () => {
    for (const subject of ['b_c', 'a'])
      write(`test/${subject}_test.csv`, `q of ${subject},1,2,3,4,A\nagain,1,2,3,4,B\n`);
    const { documents, hash } = await readDocuments(planned('mmlu'), path.join(folder, 'test'));
    expect(documents.map(({ row, fields }) => [row, fields['subject'], fields['question']])).toEqual([
      [0, 'a', 'q of a'],
      [1, 'a', 'again'],
      [2, 'b_c', 'q of b_c'],
      [3, 'b_c', 'again'],
    ]);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('and examples only where there are shots', async () => {
    const documents = write('piqa.jsonl', lines([{ goal: 'a', label: 0 }]));
    const examples = write('piqa.train.jsonl', lines([{ goal: 'b', label: 0 }]));
    expect((await openTask({ ...planned('piqa'), documents, examples: 'nowhere' })).pool).toBeUndefined();
    const opened = await openTask({ ...planned('piqa'), shots: 1, documents, examples });
    expect(opened.pool!.map(({ fields }) => fields['goal'])).toEqual(['b']);
    expect(opened.examplesHash).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('documents are refused', () => {
  it.each<[string, string, string, string, string]>([
    ['a row that is no object', 'a.jsonl', `${lines([{ goal: 'a', label: 0 }])}["x"]\n`, 'tasks/document', 'a list'],
    ['a row of more cells', 'a.csv', 'goal,label\na,1\nb,1,2\n', 'corpus/damaged', '3 cells in row 2'],
    ['a name twice', 'a.csv', 'goal,goal\na,1\n', 'corpus/damaged', 'two columns'],
  ])('%s', async (_, name, content, code, actual) => {
    const file = write(name, content);
    const { data } = await failureOf(() => readDocuments(planned('piqa'), file));
    expect(data).toMatchObject({ code, file });
    expect(data.actual).toContain(actual);
  });

  it('with fewer labels beside', async () => {
    write('valid-labels.lst', '1\n');
    const file = write('valid.jsonl', lines([{ goal: 'a' }, { goal: 'b' }]));
    const { data } = await failureOf(() => readDocuments(planned('piqa'), file));
    expect(data).toMatchObject({ code: 'tasks/document', actual: '1', operation: `reading document 2 of ${file}` });
  });

  it.each([
    ['documents', { shots: 0 }],
    ['examples', { shots: 1, documents: 'piqa.jsonl' }],
  ])('without a file of %s', async (what, of) => {
    const documents = write('piqa.jsonl', lines([{ goal: 'a', label: 0 }]));
    const { data } = await failureOf(() =>
      openTask({ ...planned('piqa'), ...of, ...('documents' in of && { documents }) }),
    );
    expect(data).toMatchObject({ code: 'tasks/not-found', operation: `reading the ${what} of piqa` });
  });
});

describe('a file that is not there, or no file', () => {
  it.each(['documents', 'examples'] as const)('is said of the task and its %s, and not of a text', async (part) => {
    const good = write('piqa.jsonl', lines([{ goal: 'g', sol1: 'a', sol2: 'b', label: 0 }]));
    const asked = { task: 'piqa', shots: 1, limit: 0, documents: good, examples: good };
    symlinkSync('loop', path.join(folder, 'loop'));
    const actual: Record<string, string> = {};
    for (const name of ['nowhere.jsonl', '.', 'loop']) {
      const { data } = await failureOf(() => openTask({ ...asked, [part]: path.join(folder, name) }));
      expect(data).toMatchObject({ code: 'tasks/not-found', expected: 'a readable file' });
      expect(data.operation).toBe(`reading the ${part} of piqa (${path.join(folder, name)})`);
      expect(data.remedy).not.toMatch(/text/);
      actual[name] = data.actual;
    }
    expect(actual).toEqual({ 'nowhere.jsonl': 'no such file', '.': 'a folder', loop: 'a link' });
  });
});
