import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { searchPlansFor } from '../../src/language/plan/searchPlan.ts';
import { searchPlanSchema } from '../../src/search/schema.ts';
import { planSchema } from '../../src/experiment/planSchema.ts';
import { KNOWN_TASK_NAMES, knownTask, MMLU_SUBJECTS, taskTitle } from '../../src/experiment/taskNames.ts';
import { SEVEN, TASK_NAMES } from '../../src/experiment/tasks.ts';
import { compile } from '../../src/language/check/compile.ts';
import { Planner, plansFor } from '../../src/language/plan/plan.ts';
import { complete } from '../../src/language/server/completion.ts';
import { documentFindings, fieldNames } from '../../src/language/server/firstDocuments.ts';
import type { FirstDocuments } from '../../src/language/server/firstDocuments.ts';
import { hover, rename } from '../../src/language/server/navigation.ts';
import { outline } from '../../src/language/server/outline.ts';
import { meaningfulTokens } from '../../src/language/server/semanticTokens.ts';
import { signatureHelp } from '../../src/language/server/signature.ts';
import { documentSymbols } from '../../src/language/server/symbols.ts';
import { formatted } from '../support/formatted.ts';
import { cursor } from './marked.ts';

const PROMPTS = { initialise: 'i', mutate: 'm', cross: 'c', propose: 'p', again: 'a' };
const FOLDER = resolve('/project');
const inFolder = (file: string) => resolve(FOLDER, file);
const MINE =
  'task mine = "m.jsonl" (context: "{question}\\nAnswer:", choices: choices, gold: label, shots: 1, examples: "t.jsonl")\n';
const HEAD = `model tiny = "m"\ncorpus test = "t"\nmetric wanda = W\n${MINE}`;
const TEMPLATE = { context: '{question}\nAnswer:', choices: { field: 'choices' }, gold: 'label' };

const planned = (said: string) => {
  const document = compile(`${HEAD}experiment e { model: tiny ${said} }`);
  expect(document.diagnostics).toEqual([]);
  const [plan] = plansFor(document, 'e', { folder: FOLDER });
  expect(planSchema.parse(plan)).toEqual(plan);
  return plan!;
};

describe('the names of tasks', () => {
  it('are those of the tables', () => {
    expect(new Set(MMLU_SUBJECTS).size).toBe(57);
    expect(KNOWN_TASK_NAMES).toHaveLength(1 + TASK_NAMES.length + 57);
    expect(KNOWN_TASK_NAMES.filter((name) => name !== 'seven' && knownTask(name) === undefined)).toEqual([]);
  });

  it.each([
    ['piqa', { row: 'piqa' }, 'PIQA'],
    ['mmlu_world_religions', { row: 'mmlu', subject: 'world_religions' }, 'MMLU world religions'],
    ['mmlu_', undefined, 'mmlu_'],
    ['seven', undefined, 'seven'],
    ['toString', undefined, 'toString'],
  ])('%s', (name, known, title) => {
    expect(knownTask(name)).toEqual(known);
    expect(taskTitle(name)).toBe(title);
  });
});

describe('tasks are planned', () => {
  it.each<[string, object[]]>([
    ['piqa', [{ task: 'piqa', shots: 0, limit: 0 }]],
    [
      'gsm8k, gsm8k (shots: 0)',
      [
        { task: 'gsm8k', shots: 5 },
        { task: 'gsm8k', shots: 0 },
      ],
    ],
    ['piqa (shots: 5, limit: 100), mmlu_astronomy', [{ shots: 5, limit: 100 }, { task: 'mmlu_astronomy' }]],
    ['seven (limit: 3)', SEVEN.map((task) => ({ task, shots: 0, limit: 3 }))],
    ['rte, seven', [{ task: 'rte' }, ...SEVEN.filter((task) => task !== 'rte').map((task) => ({ task }))]],
    [
      'arc_easy (documents: "a.jsonl", examples: "hf:o/n/c:train")',
      [{ documents: inFolder('a.jsonl'), examples: 'hf:o/n/c:train' }],
    ],
    [
      'mine',
      [{ task: 'mine', documents: inFolder('m.jsonl'), examples: inFolder('t.jsonl'), shots: 1, template: TEMPLATE }],
    ],
    ['mine (shots: 0, documents: "o.csv")', [{ documents: inFolder('o.csv'), shots: 0, template: TEMPLATE }]],
  ])('%s', (said, list) => {
    const text = said === 'rte, seven' ? [] : undefined;
    const document = compile(`${HEAD}experiment e { model: tiny tasks: ${said} }`);
    expect(document.diagnostics.filter(({ code }) => code !== 'experiment/repeated')).toEqual(text ?? []);
    const [plan] = plansFor(document, 'e', { folder: FOLDER });
    expect(planSchema.parse(plan)).toEqual(plan);
    expect(plan!.tasks!.list).toMatchObject(list);
    expect(plan!.tasks!.list).toHaveLength(list.length);
  });

  it.each([
    ['', '0.4', 'tokenizer'],
    ['harness: 0.3', '0.3', 'none'],
    ['harness: 0.3 bos: always', '0.3', 'always'],
    ['harness: 0.4 bos: none', '0.4', 'none'],
  ])('as is said of all: %s', (said, harness, beginning) => {
    expect(planned(`tasks: piqa ${said}`).tasks).toMatchObject({ harness, beginning });
  });

  it('without a text where none is said, and beside one', () => {
    expect(planned('tasks: piqa')).not.toHaveProperty('text');
    expect(planned('tasks: piqa evaluate: test')).toMatchObject({ text: inFolder('t') });
    expect(planned('evaluate: test')).not.toHaveProperty('tasks');
  });

  it('of `defaults`, for lone metrics too, and no text is made up for them', () => {
    const document = compile(`${HEAD}defaults { model: tiny tasks: piqa harness: 0.3 }`);
    const [plan] = plansFor(document, 'wanda', { folder: FOLDER, fallback: { text: '/other' } });
    expect(plan).toMatchObject({ tasks: { list: [{ task: 'piqa' }], harness: '0.3' } });
    expect(plan).not.toHaveProperty('text');
  });

  it('under what flags say', () => {
    const document = compile(`${HEAD}experiment e { model: tiny tasks: piqa (shots: 3), mine harness: 0.3 bos: none }`);
    const overlay = { settings: {}, asking: { harness: '0.4' }, ofTasks: { shots: 2, limit: 9 } };
    const [plan] = plansFor(document, 'e', { folder: FOLDER, overlay });
    expect(plan!.tasks).toMatchObject({ harness: '0.4', beginning: 'none' });
    expect(plan!.tasks!.list).toMatchObject([
      { task: 'piqa', shots: 2, limit: 9 },
      { task: 'mine', shots: 2, limit: 9 },
    ]);
    const [others] = plansFor(document, 'e', { folder: FOLDER, overlay: { settings: {}, tasks: [{ name: 'rte' }] } });
    expect(others!.tasks!.list).toEqual([{ task: 'rte', shots: 0, limit: 0 }]);
  });

  it.each(['method: pruner-zero', 'method: self-pruner', 'method: policy-gradient'])(
    'for what a search finds: %s',
    (method) => {
      const said = 'model: tiny evaluate: test calibrate: "c"';
      const document = compile(`${HEAD}search s { ${method} ${said} tasks: piqa (shots: 5), mine harness: 0.3 }`);
      expect(document.diagnostics).toEqual([]);
      const [plan] = searchPlansFor(document, 's', { folder: FOLDER, prompts: PROMPTS });
      expect(searchPlanSchema.parse(plan)).toEqual(plan);
      expect(plan!.tasks).toMatchObject({
        list: [
          { task: 'piqa', shots: 5 },
          { task: 'mine', documents: inFolder('m.jsonl'), template: TEMPLATE },
        ],
        ...{ harness: '0.3', beginning: 'none' },
      });
      const [none] = searchPlansFor(compile(`${HEAD}search s { ${method} ${said} }`), 's', {
        folder: FOLDER,
        prompts: PROMPTS,
      });
      expect(none).not.toHaveProperty('tasks');
    },
  );

  it('and decide what is stale', () => {
    const keyOf = (said: string, head = HEAD) => {
      const document = compile(`${head}experiment e { model: tiny evaluate: test ${said} }`);
      return new Planner(document).planKey(document.declarations.at(-1)!);
    };
    const texts = ['', 'tasks: piqa', 'tasks: piqa (shots: 1)', 'tasks: piqa harness: 0.3', 'tasks: mine'];
    const keys = [...texts.map((said) => keyOf(said)), keyOf('tasks: mine', HEAD.replace('Answer', 'answer'))];
    expect(new Set(keys).size).toBe(keys.length);
  });
});

const FIRST: FirstDocuments = {
  documents: [
    { question: 'Why?', choices: ['because', 'so'], label: 1, meta: { id: 'x' } },
    { question: 'How?', choices: ['thus', 'then'], label: 0 },
  ],
};

describe('the first documents of a task', () => {
  it.each<[string, FirstDocuments, string[]]>([
    ['context: "{question}", choices: choices, gold: label', FIRST, []],
    [
      'context: "\\n{qestion}", choices: choices, gold: label',
      FIRST,
      ['qestion: document 1 has no field `qestion`: did you mean `question`?'],
    ],
    [
      'context: "{question}", choices: ["{meta.id}", "b"], gold: lable',
      FIRST,
      ['meta.id: document 2 has no field', 'lable: did you mean `label`?'],
    ],
    [
      'context: "{question}", choices: "meta.ids", gold: zzz',
      FIRST,
      ['meta.ids: did you mean `meta.id`?', 'zzz: it has `question`, `choices`'],
    ],
    [
      'context: "{question}", choices: choices, gold: label',
      { problem: 'there is no such file' },
      ['"m.jsonl": there is no such file'],
    ],
    ['context: "{question}", choices: choices, gold: label', { documents: [] }, ['"m.jsonl": no documents']],
    ['context: "{question", choices: choices, gold: label', { documents: [] }, []],
  ])('%s', (said, first, expected) => {
    const document = compile(
      `// above\ntask other = "o" (context: "{x}", choices: y, gold: z)\n\ntask mine = "m.jsonl" (${said})\n`,
    );
    const found = documentFindings(document, ({ name }) => (name === 'mine' ? first : undefined));
    const told = found.map(({ start, end, message }) => `${document.text.slice(start, end)}: ${message}`);
    expect(told).toHaveLength(expected.length);
    expected.forEach((text, i) => {
      const [place, part] = text.split(/: (.*)/) as [string, string];
      expect(told[i]).toContain(`${place}: `);
      expect(told[i]).toContain(part);
    });
    for (const { code, fixes = [] } of found) {
      expect(code).toBe('task/documents');
      for (const { edits } of fixes)
        for (const edit of edits) expect(document.text.slice(edit.start, edit.end)).not.toContain('"');
    }
  });

  it('have fields, those inside of others among them', () => {
    expect(fieldNames(FIRST)).toEqual(['question', 'choices', 'label', 'meta', 'meta.id']);
    expect(
      fieldNames({ documents: [Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, i]))] }).length,
    ).toBeLessThan(300);
  });
});

describe('completion', () => {
  it.each<[string, string[], string[]]>([
    ['experiment e { tasks: | }', ['seven', 'piqa', 'mmlu_astronomy', 'mine'], ['wanda', 'shots', 'test']],
    ['experiment e { tasks: piqa, | }', ['boolq', 'mine'], ['shots']],
    ['experiment e { tasks: piqa (| }', ['documents', 'examples', 'shots', 'limit'], ['context', 'piqa']],
    ['experiment e { tasks: piqa (shots: 2, | }', ['limit'], ['shots']],
    ['experiment e { tasks: piqa | }', ['harness', 'bos', 'evaluate'], ['tasks', 'piqa']],
    ['experiment e { harness: | }', ['0.4', '0.3'], []],
    ['defaults { bos: | }', ['tokenizer', 'none', 'always'], []],
    ['task other = "x" (| ', ['context', 'choices', 'gold', 'examples'], ['documents']],
    ['task other = "x" (context: "{q}", gold: | ', ['question', 'label', 'meta.id'], ['context', 'wanda']],
    ['task other = "x" (context: "a {{b}} {ques|}', ['question', 'choices'], ['gold']],
    ['task other = "x" (choices: ["{|', ['question'], ['gold']],
    ['task other = "x" (context: "a {{|', [], ['question']],
    ['|', ['task'], []],
  ])('%s', (marked, some, none) => {
    const { document, source, offset } = cursor(`${HEAD}${marked}`);
    const labels = complete(document, source, offset, { fields: fieldNames(FIRST) }).map(({ label }) => label);
    expect(labels).toEqual(expect.arrayContaining(some));
    expect(none.filter((label) => labels.includes(label))).toEqual([]);
  });
});

describe('hover', () => {
  it.each<[string, string[]]>([
    [
      'experiment e { tasks: pi|qa }',
      ['**PIQA**', '`baber/piqa`', 'validation split (1838 documents)', '`acc_norm`', 'train'],
    ],
    ['experiment e { tasks: se|ven }', ['`boolq`, `rte`', 'mean']],
    ['experiment e { tasks: mmlu_ast|ronomy }', ['MMLU astronomy', '`cais/mmlu`, `astronomy`']],
    ['experiment e { tasks: gsm|8k }', ['`exact_match`', '5 examples']],
    ['experiment e { tas|ks: piqa }', ['Questions that every model is asked']],
    ['experiment e { tasks: piqa (sho|ts: 1) }', ['Examples before each question']],
    ['experiment e { harn|ess: 0.3 tasks: piqa }', ['lm-evaluation-harness']],
    ['experiment e { tasks: mi|ne }', ['task mine = ', 'Why?\nAnswer:', '- `because`', '- `so` ← right']],
    ['experiment e { tasks: mine }\nexperiment f| { model: tiny tasks: rte }', ['Asks `rte`']],
  ])('%s', (marked, parts) => {
    const { document, source, offset } = cursor(`${HEAD}${marked}`);
    const contents = hover(document, source, offset, () => FIRST)?.contents as { value: string } | undefined;
    for (const part of parts) expect(contents?.value).toContain(part);
  });

  it.each<[FirstDocuments, string]>([
    [{ problem: 'no such file' }, 'no such file'],
    [{ documents: [] }, 'has no documents'],
    [{ documents: [{ question: 'Why?', choices: ['a'], label: 0 }] }, 'does not fit'],
    [{ documents: [{ question: '`x` <b>', choices: ['*a*', 'b'], label: 'A' }] }, '← right'],
  ])('of a task whose documents are %j', (first, part) => {
    const { document, source, offset } = cursor(`${HEAD}experiment e { tasks: mi|ne }`);
    const contents = hover(document, source, offset, () => first)?.contents as { value: string };
    expect(contents.value).toContain(part);
  });
});

describe('an own task', () => {
  const text = `${HEAD}experiment e { model: tiny tasks: mine (shots: 2) }`;

  it('is renamed where it is asked for', () => {
    const { document, source, offset } = cursor(text.replace('tasks: mine', 'tasks: mi|ne'));
    const result = rename(document, source, offset, 'ours');
    expect('edits' in result && result.edits).toHaveLength(2);
    expect(rename(document, source, offset, 'piqa')).toHaveProperty('refusal');
    expect(rename(document, source, offset, 'wanda')).toHaveProperty('refusal');
  });

  it('is in the outline, among the symbols and coloured', () => {
    const { document, source } = cursor(`${text}|`);
    expect(outline(document, source).declarations).toContainEqual(
      expect.objectContaining({ kind: 'task', name: 'mine', evaluable: false }),
    );
    expect(documentSymbols(document, source)).toContainEqual(
      expect.objectContaining({ name: 'mine', detail: 'm.jsonl' }),
    );
    const coloured = meaningfulTokens(document).map(
      ({ start, end, type }) => `${document.text.slice(start, end)} ${type}`,
    );
    expect(coloured).toEqual(
      expect.arrayContaining([
        'task keyword',
        'mine variable',
        'context property',
        'tasks property',
        'shots property',
        '2 number',
      ]),
    );
  });

  it('has a signature, as tasks that are asked for have', () => {
    const signature = (marked: string) => {
      const { document, offset } = cursor(`${HEAD}${marked}`);
      const help = signatureHelp(document, offset);
      return [help?.signatures[0]?.label, help?.activeParameter];
    };
    expect(signature('task other = "x" (context: "{q}", gold: |')).toEqual([
      '"x" (context: "{question}\\nAnswer:", choices: choices, gold: label, examples: "", shots: 0, limit: 0)'.replace(
        'examples: ""',
        'examples: ""',
      ),
      2,
    ]);
    expect(signature('experiment e { tasks: piqa (shots: |')).toEqual([
      'piqa (documents: "", examples: "", shots: 0, limit: 0)',
      2,
    ]);
    expect(signature('experiment e { tasks: mine (|')[0]).toContain('mine (documents');
  });

  it('is laid out', () => {
    const written =
      'task  mine="m"( context :"{q}",choices:[ "a","b" ] , gold:label)\nexperiment e{\ntasks:piqa( shots:2 ),mine\nharness :0.3}';
    expect(formatted(compile(written))).toBe(
      'task mine = "m" (context: "{q}", choices: ["a", "b"], gold: label)\nexperiment e {\n  tasks: piqa (shots: 2), mine\n  harness: 0.3\n}\n',
    );
  });
});
