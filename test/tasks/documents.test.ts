import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { toErrorData } from '../../src/base/errors.ts';
import type { TaskTemplate } from '../../src/experiment/taskSchema.ts';
import { TASK_NAMES } from '../../src/experiment/tasks.ts';
import type { TaskName } from '../../src/experiment/tasks.ts';
import type { Document } from '../../src/tasks/document.ts';
import { promptsOf, requestsOf } from '../../src/tasks/requests.ts';
import { parseTemplate } from '../../src/tasks/template.ts';
import { failureOf } from '../support/expectCoded.ts';

type Fields = Document['fields'];

const documentsOf = (rows: readonly Fields[]): readonly Document[] =>
  rows.map((fields, row) => ({ file: 'mine.jsonl', row, fields }));

const asked = (task: string, rows: readonly Fields[], shots = 0, examples?: readonly Fields[], limit = 0) =>
  requestsOf({ task, shots, limit }, { documents: documentsOf(rows), pool: examples && documentsOf(examples) }, '0.4');

const without = (fields: Fields, name: string): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([each]) => each !== name));

/** One document of each task that is as it should be. */
const GOOD: Readonly<Record<TaskName, Fields>> = {
  winogrande: { sentence: 'The _ ran _ .', option1: 'cat', option2: 'dog', answer: '2' },
  hellaswag: { activity_label: 'A', ctx_a: 'B', ctx_b: 'c D', endings: ['x', 'y', 'z', 'w'], label: '3' },
  boolq: { passage: 'p', question: 'q', answer: true },
  arc_easy: { question: 'q', choices: { text: ['a', 'b'], label: ['1', '2'] }, answerKey: '2' },
  arc_challenge: { question: { stem: 'q', choices: [{ text: 'a', label: 'A' }] }, answerKey: 'A' },
  openbookqa: { question_stem: 'q', choices: { text: ['a', 'b'], label: ['A', 'B'] }, answerKey: ' B' },
  piqa: { goal: 'g', sol1: 'a', sol2: '😀é', label: '1' },
  rte: { premise: 'p', hypothesis: 'h', label: 'not_entailment' },
  mmlu: { question: ' q ', A: 'a', B: '', C: 'c', D: 'd', answer: 'C', subject: 'us_history' },
  gsm8k: { question: 'q', answer: 'a\n#### 1' },
};

describe('documents become questions', () => {
  it.each<[TaskName, string, string, number, readonly number[]]>([
    ['winogrande', 'The dog', ' ran _ .', 1, [7, 7]],
    ['hellaswag', 'A: B C d', ' w', 3, [1, 1, 1, 1]],
    ['boolq', 'p\nQuestion: q?\nAnswer:', ' yes', 1, [2, 3]],
    ['arc_easy', 'Question: q\nAnswer:', ' b', 1, [1, 1]],
    ['openbookqa', 'q', ' b', 1, [1, 1]],
    ['piqa', 'Question: g\nAnswer:', ' 😀é', 1, [1, 2]],
    ['rte', 'p\nQuestion: h True or False?\nAnswer:', ' False', 1, [4, 5]],
    [
      'mmlu',
      'The following are multiple choice questions (with answers) about us history.\n\nq\nA. a\nB. \nC. c\nD. d\nAnswer:',
      ...([' C', 2, [1, 1, 1, 1]] as const),
    ],
  ])('of %s', (task, context, continuation, gold, lengths) => {
    const [document] = asked(task, [GOOD[task]]);
    expect(document).toMatchObject({ gold, lengths, row: 0 });
    expect(document!.requests[gold]).toEqual({ context, continuation });
  });

  it('of a subject of MMLU alone, with its own examples in their order', () => {
    const rows = ['astronomy', 'us_history', 'astronomy'].map((subject, i) => ({
      ...GOOD.mmlu,
      subject,
      question: `q${i}`,
    }));
    const documents = asked('mmlu_astronomy', rows, 2, rows);
    expect(documents.map(({ row }) => row)).toEqual([0, 2]);
    expect(documents[0]!.requests[0]!.context).toMatch(/astronomy\.\n\nq0\n[^]*: C\n\nq2\n[^]*: C\n\nq0\n/);
  });

  it('draws one example more than it shows, where the document itself may be among them', () => {
    const rows = Array.from({ length: 4 }, (_, i) => ({ ...GOOD.piqa, goal: `g${i}` }));
    for (const [i, { requests }] of asked('piqa', rows, 3, rows).entries()) {
      const goals = [...requests[0]!.context.matchAll(/g\d/g)].map(([goal]) => goal);
      expect([...goals].sort()).toEqual(['g0', 'g1', 'g2', 'g3']);
      expect(goals.at(-1)).toBe(`g${i}`);
    }
  });
});

describe('a document is refused by its place and field', () => {
  it.each<[string, TaskName, Fields, string, string, string]>([
    ['another task’s', 'piqa', GOOD.rte, 'tasks/document', '"goal"', '"premise", "hypothesis", "label"'],
    ['without a label', 'piqa', { ...GOOD.piqa, label: undefined }, 'tasks/unlabelled', '"label"', 'no such field'],
    ['of a test split', 'hellaswag', { ...GOOD.hellaswag, label: '' }, 'tasks/unlabelled', '"label"', '""'],
    ['of a test split', 'boolq', { ...GOOD.boolq, answer: -1 }, 'tasks/unlabelled', '"answer"', '-1'],
    ['with a label beyond', 'piqa', { ...GOOD.piqa, label: 2 }, 'tasks/document', '"label"', 'the number 2'],
    ['with a label between', 'rte', { ...GOOD.rte, label: 0.5 }, 'tasks/document', '"label"', '0.5'],
    [
      'with a label of no choice',
      'arc_easy',
      { ...GOOD.arc_easy, answerKey: 'E' },
      'tasks/document',
      '"answerKey"',
      '"E"',
    ],
    ['without a blank', 'winogrande', { ...GOOD.winogrande, sentence: 'x' }, 'tasks/document', '"sentence"', '"x"'],
    ['with a number for a text', 'boolq', { ...GOOD.boolq, passage: 3 }, 'tasks/document', '"passage"', 'the number 3'],
    [
      'with half a character',
      'boolq',
      { ...GOOD.boolq, question: 'a\ud800' },
      'tasks/document',
      '"question"',
      'surrogate',
    ],
    ['with an empty choice', 'piqa', { ...GOOD.piqa, sol2: '' }, 'tasks/document', '"sol1 and sol2"', 'choice 2'],
    [
      'without choices',
      'hellaswag',
      { ...GOOD.hellaswag, endings: [] },
      'tasks/document',
      '"endings"',
      'an empty list',
    ],
    [
      'with a choice that is none',
      'hellaswag',
      { ...GOOD.hellaswag, endings: ['a', null] },
      'tasks/document',
      '"endings[1]"',
      'null',
    ],
    [
      'with 100 000 choices',
      'hellaswag',
      { ...GOOD.hellaswag, endings: Array.from({ length: 100_000 }, () => 'a') },
      ...(['tasks/too-large', '"endings"', '100000'] as const),
    ],
    ['with a huge choice', 'piqa', { ...GOOD.piqa, sol1: 'a'.repeat(2 ** 21) }, 'tasks/too-large', '"sol1"', '2097152'],
    [
      'with five choices',
      'mmlu',
      { question: 'q', subject: 's', choices: ['a', 'b', 'c'], answer: 0 },
      'tasks/document',
      '"choices"',
      '3',
    ],
    [
      'without its subject',
      'mmlu',
      { ...GOOD.mmlu, subject: undefined },
      'tasks/document',
      '"subject"',
      'no such field',
    ],
    [
      'with more labels than texts',
      'openbookqa',
      { ...GOOD.openbookqa, choices: { text: ['a'], label: ['A', 'B'] } },
      'tasks/document',
      '"choices"',
      '2 for 1',
    ],
  ])('%s, of %s', async (_, task, fields, code, field, actual) => {
    const rows = [GOOD[task], fields, GOOD[task]];
    const { data } = await failureOf(() => asked(task, rows));
    expect(data).toMatchObject({ code, operation: 'reading document 2 of mine.jsonl', file: 'mine.jsonl' });
    expect(data.expected).toContain(field);
    expect(data.actual).toContain(actual);
  });

  it('whatever its fields hold: a coded error or a question, 3000 times', () => {
    const rng = new Rng(8);
    const values = [
      null,
      '',
      -1,
      0,
      1,
      3,
      1e300,
      'A',
      '1',
      [],
      ['a'],
      [1],
      {},
      { text: ['a'], label: ['A'] },
      true,
      2n ** 70n,
      '\ud800',
      '_',
    ];
    for (let i = 0; i < 3000; i++) {
      const task = TASK_NAMES[rng.integer(TASK_NAMES.length)]!;
      let fields: Fields = { ...GOOD[task] };
      const names = Object.keys(fields);
      for (let changes = rng.integer(3); changes >= 0; changes--) {
        const name = names[rng.integer(names.length)]!;
        const value = values[rng.integer(values.length)];
        fields = rng.integer(4) === 0 ? without(fields, name) : { ...fields, [name]: value };
      }
      const planned = { task, shots: 0, limit: 0 };
      try {
        (task === 'gsm8k' ? promptsOf : requestsOf)(
          planned,
          { documents: documentsOf([fields]), pool: undefined },
          '0.4',
        );
      } catch (thrown) {
        expect(toErrorData(thrown, 'fuzzing').code, String(thrown)).toMatch(/^tasks\//);
      }
    }
  });

  it.each<[string, string, readonly Fields[], number, readonly Fields[] | undefined, string, string]>([
    ['an unknown task', 'copa', [GOOD.piqa], 0, undefined, 'tasks/unknown', '"copa"'],
    ['no documents', 'piqa', [], 0, undefined, 'tasks/empty', 'none'],
    ['another subject', 'mmlu_astronomy', [GOOD.mmlu], 0, undefined, 'tasks/empty', '"us_history"'],
    ['no examples', 'piqa', [GOOD.piqa], 1, undefined, 'tasks/examples', '0'],
    ['too few examples', 'piqa', [GOOD.piqa], 1, [GOOD.piqa], 'tasks/examples', '1'],
    ['too few of a subject', 'mmlu', [GOOD.mmlu], 2, [GOOD.mmlu], 'tasks/examples', '1 of "us_history"'],
  ])('and so is %s', async (_, task, rows, shots, examples, code, actual) => {
    const { data } = await failureOf(() => asked(task, rows, shots, examples));
    expect(data).toMatchObject({ code });
    expect(data.actual).toContain(actual);
  });
});

describe('a task of one’s own', () => {
  const ask = (template: TaskTemplate, fields: Fields, shots = 0, rows: readonly Fields[] = [fields]) =>
    requestsOf({ task: 'mine', shots, limit: 0, template }, { documents: documentsOf(rows), pool: undefined }, '0.4');
  const listed: TaskTemplate = { context: '{question}\nAnswer:', choices: { field: 'choices' }, gold: 'label' };

  it.each<[string, TaskTemplate['choices'], Fields, readonly string[], number]>([
    ['a list and a place', { field: 'choices' }, { choices: ['a', 'b'], label: 1 }, [' a', ' b'], 1],
    ['a list and a letter', { field: 'choices' }, { choices: ['x', 'y'], label: 'B' }, [' x', ' y'], 1],
    ['a list and a text', { field: 'choices' }, { choices: ['x', 'y'], label: 'y' }, [' x', ' y'], 1],
    ['numbers and a place', { field: 'choices' }, { choices: [3, 5], label: 0 }, [' 3', ' 5'], 0],
    [
      'labelled choices',
      { field: 'choices' },
      {
        choices: [
          { text: 'x', label: '1' },
          { text: 'y', label: '2' },
        ],
        label: '1',
      },
      [' x', ' y'],
      0,
    ],
    [
      'labels beside the texts',
      { field: 'choices.text' },
      { choices: { text: ['x', 'y'], label: ['1', '2'] }, label: '1' },
      [' x', ' y'],
      0,
    ],
    ['texts', { texts: ['no', 'yes {name}'] }, { name: 7, label: true }, [' no', ' yes 7'], 1],
  ])('has %s', (_, choices, fields, continuations, gold) => {
    const [document] = ask({ ...listed, choices }, { question: 'q', ...fields });
    expect(document!.gold).toBe(gold);
    expect(document!.requests).toEqual(continuations.map((continuation) => ({ context: 'q\nAnswer:', continuation })));
  });

  it('draws its examples of its own documents, less the one that is asked', () => {
    const rows = [0, 1, 2].map((i) => ({ question: `q${i}`, choices: ['a', 'b'], label: 1 }));
    for (const [i, { requests }] of ask(listed, rows[0]!, 2, rows).entries())
      expect(
        requests[0]!.context
          .split('\n\n')
          .map((part) => part.slice(0, 2))
          .at(-1),
      ).toBe(`q${i}`);
    expect(ask(listed, rows[0]!, 2, rows)[0]!.requests[0]!.context).toMatch(
      /^q[12]\nAnswer: b\n\nq[12]\nAnswer: b\n\nq0\nAnswer:$/,
    );
  });

  it.each<[string, Fields, string]>([
    ['a field that is not there', { choices: ['a', 'b'], label: 0 }, '"question"'],
    ['a label that is no choice', { question: 'q', choices: ['a', 'b'], label: 'c' }, '"label"'],
    ['a label that could be two', { question: 'q', choices: ['B', 'A'], label: 'A' }, '"label"'],
    ['a list of one', { question: 'q', choices: ['a'], label: 0 }, '"choices"'],
    ['choices that are no list', { question: 'q', choices: 'a', label: 0 }, '"choices"'],
    ['100 000 choices', { question: 'q', choices: Array.from({ length: 100_000 }, String), label: 0 }, '"choices"'],
  ])('names document and field of %s', async (_, fields, field) => {
    const { data } = await failureOf(() => ask(listed, fields));
    expect(data.operation).toBe('reading document 1 of mine.jsonl');
    expect(data.expected).toContain(field);
    if (field === '"question"') expect(data.remedy).toMatch(/task of your own/);
  });

  it.each<[string, object]>([
    [
      'a {b} {{c}} {d.e}',
      { parts: [{ text: 'a ' }, { field: 'b', at: 2 }, { text: ' {c} ' }, { field: 'd.e', at: 12 }] },
    ],
    ['', { parts: [] }],
    ['a {b', { at: 2, length: 1 }],
    ['a } b', { at: 2, length: 1 }],
    ['{}', { at: 0, length: 2 }],
    ['{a..b}', { at: 0, length: 6 }],
    ['{a\n}', { at: 0, length: 1 }],
  ])('has the template %j', (template, parsed) => {
    expect(parseTemplate(template)).toMatchObject(parsed);
  });

  it('of a template that cannot be read is refused', async () => {
    expect((await failureOf(() => ask({ ...listed, context: '{' }, {}))).code).toBe('tasks/template');
  });
});
