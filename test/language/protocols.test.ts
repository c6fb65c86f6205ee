import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS, SETTINGS } from '../../src/experiment/settings.ts';
import { ROWS_SETTINGS } from '../../src/experiment/corpusRows.ts';
import { PROTOCOL_NAMES, PROTOCOLS, protocolOf, protocolSettings } from '../../src/experiment/protocols.ts';
import { planSchema } from '../../src/experiment/planSchema.ts';
import { settingsWith } from '../../src/experiment/settingRow.ts';
import type { SaidSettings } from '../../src/experiment/settingRow.ts';
import { compile } from '../../src/language/check/compile.ts';
import { plansFor } from '../../src/language/plan/plan.ts';
import { planUnder } from '../../src/language/plan/overlay.ts';
import type { PlanOverlay } from '../../src/language/plan/overlay.ts';
import { searchPlanFrom, searchPlansFor } from '../../src/language/plan/searchPlan.ts';
import { complete } from '../../src/language/server/completion.ts';
import { hover } from '../../src/language/server/navigation.ts';
import { SEARCH_METHOD_NAMES, SEARCH_METHODS } from '../../src/search/methods.ts';
import { searchPlanSchema } from '../../src/search/schema.ts';
import { checkMarked, cursor } from './marked.ts';

const HEAD = 'model tiny = "m"\ncorpus own = "own.txt"\nmetric wanda = W * sqrt(X)\n';
const PROMPTS = { initialise: '', mutate: '', cross: '', propose: '', again: '' };

function planOf(properties: string, more = '', overlay?: PlanOverlay, prune = 'W, wanda') {
  const document = compile(`${HEAD}${more}\nexperiment e { model: tiny prune: ${prune} at: 50% ${properties} }`);
  expect(document.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return plansFor(document, 'e', { folder: '/f', ...(overlay && { overlay }) })[0]!;
}

describe('the table of protocols', () => {
  it.each(PROTOCOL_NAMES)('%s: settings that there are, with values that they take', (name) => {
    const { texts, settings, search = [] } = protocolOf(name);
    const values = Object.entries(protocolSettings(name));
    expect(values).toHaveLength(settings.length);
    expect(settings.filter((row) => !Object.hasOwn(SETTINGS, row.name))).toEqual([]);
    const rows = Object.values(texts).flatMap((text) => Object.keys(text.rows));
    expect(rows.filter((row) => !Object.hasOwn(ROWS_SETTINGS, row))).toEqual([]);
    const methods = SEARCH_METHOD_NAMES.filter((method) => (method as string) === name);
    const known = methods.flatMap((method) => Object.keys(SEARCH_METHODS[method].settings));
    expect(search.filter((row) => !known.includes(row.name))).toEqual([]);
    expect([...settings, ...search, ...Object.values(texts)].filter(({ source }) => source.trim() === '')).toEqual([]);
    expect(planSchema.safeParse(planOf(`protocol: ${name} calibrate: own`)).error).toBeUndefined();
  });

  it.each(PROTOCOL_NAMES)('%s is the default, but for what it sets', (name) => {
    const { settings, protocol } = planOf(`protocol: ${name} calibrate: own`);
    expect(protocol).toBe(name);
    expect(settings).toEqual({ ...DEFAULT_SETTINGS, ...protocolSettings(name) });
  });
});

describe('an experiment under a protocol', () => {
  it('has its texts, as they are on the hub', () => {
    const { text, calibration, rows } = planOf('protocol: wanda');
    expect(text).toBe('hf:Salesforce/wikitext/wikitext-2-raw-v1:test');
    expect(calibration).toBe('hf:allenai/c4/en/c4-train.00000-of-01024.json.gz');
    expect(rows).toEqual({ text: { field: '', rows: 'wikitext', join: 'blank-line', first: 0 } });
    const zero = planOf('protocol: pruner-zero', '', undefined, 'W * G');
    expect(zero.gradients).toBe('hf:Salesforce/wikitext/wikitext-2-raw-v1:train');
    expect(zero.rows?.gradients).toMatchObject({ rows: 'wikitext', join: 'space' });
  });

  it.each<[what: string, properties: string, more: string, overlay: PlanOverlay | undefined, expected: object]>([
    ['the protocol’s', 'protocol: wanda evaluate: own', '', undefined, { rows: 'wikitext', join: 'blank-line' }],
    [
      'where it is declared',
      'protocol: wanda evaluate: c',
      'corpus c = "c" (rows: lines, join: space)',
      undefined,
      { rows: 'lines', join: 'space' },
    ],
    [
      'where it is named',
      'protocol: wanda evaluate: c (join: line)',
      'corpus c = "c" (rows: lines, join: space)',
      undefined,
      { rows: 'lines', join: 'line' },
    ],
    [
      'the flag',
      'protocol: wanda evaluate: c (join: line)',
      'corpus c = "c" (rows: lines, first: 3)',
      { settings: {}, rows: { text: { join: 'nothing' } } },
      { rows: 'lines', join: 'nothing', first: 3 },
    ],
    [
      'the flag, of a text that a flag names',
      'protocol: wanda evaluate: c (join: line)',
      'corpus c = "c"',
      { settings: {}, evaluate: { path: '/x' }, rows: { text: { first: 2 } } },
      { rows: 'wikitext', first: 2 },
    ],
  ])('rows are those of the last to say them: %s', (_, properties, more, overlay, expected) => {
    expect(planOf(properties, more, overlay).rows?.text).toEqual(settingsWith(ROWS_SETTINGS, expected as SaidSettings));
  });

  it('rows can be taken back to what they are without it', () => {
    expect(planOf('protocol: wanda evaluate: own (rows: whole)').rows).toBeUndefined();
  });

  it.each<[what: string, properties: string, more: string, overlay: PlanOverlay | undefined, length: number]>([
    ['the default', 'evaluate: own calibrate: own', '', undefined, 0],
    ['the protocol', 'protocol: flap', '', undefined, 128],
    ['defaults', 'protocol: flap', 'defaults { length: 64 }', undefined, 64],
    ['a protocol of defaults', '', 'defaults { protocol: flap }', undefined, 128],
    ['the block', 'length: 32', 'defaults { protocol: flap length: 64 }', undefined, 32],
    [
      'another protocol of the block',
      'protocol: llm-pruner calibrate: own',
      'defaults { protocol: wanda }',
      undefined,
      128,
    ],
    ['the flag', 'protocol: flap length: 32', '', { settings: { length: 16 } }, 16],
    [
      'a flag’s protocol below what the file says',
      'length: 32',
      'defaults { protocol: flap }',
      { settings: {}, protocol: 'wanda' },
      32,
    ],
    ['a flag’s protocol', 'evaluate: own calibrate: own', '', { settings: {}, protocol: 'flap' }, 128],
  ])('settings are those of the last to say them: %s', (_, properties, more, overlay, length) => {
    expect(planOf(properties, more, overlay).settings.length).toBe(length);
  });

  it('a length behind the calibration is that of samples alone', () => {
    expect(planOf('protocol: flap calibrate: own (length: 64)').settings).toMatchObject({
      length: 128,
      calibrationLength: 64,
    });
    expect(planOf('evaluate: own calibrate: own (length: 64)').settings).toMatchObject({
      length: 64,
      calibrationLength: 64,
    });
  });

  it.each<[prune: string, settings: string, expected: (string | undefined)[]]>([
    ['W, abs(Wsigned), W * 2 + 1, W ^ 3, wanda', '', ['layer', 'layer', 'layer', 'layer', undefined]],
    ['W (group: row), wanda (group: layer)', '', ['row', 'layer']],
    ['W', 'group: row', ['row']],
    ['W, wanda', 'group: layer', ['layer', undefined]],
    ['Wsigned, W * X', '', [undefined, undefined]],
    ['weights(W, [20%, 40%]), structure(magnitude)', '', ['layer', undefined]],
  ])('magnitude is compared as there, however it is written: %s %s', (prune, settings, expected) => {
    const { evaluations } = plansFor(
      compile(`${HEAD}experiment e { protocol: wanda model: tiny at: 50% prune: ${prune} ${settings} }`),
      'e',
      { folder: '/' },
    )[0]!;
    expect(evaluations.map((evaluation) => ('group' in evaluation ? evaluation.group : undefined))).toEqual(expected);
  });

  it.each([
    ['W', undefined, undefined],
    ['wanda', 'hf:allenai/c4/en/c4-train.00000-of-01024.json.gz', undefined],
    ['weights(W, owl)', 'hf:allenai/c4/en/c4-train.00000-of-01024.json.gz', undefined],
    ['W, W * G', 'hf:allenai/c4/en/c4-train.00000-of-01024.json.gz', 'hf:Salesforce/wikitext/wikitext-2-raw-v1:train'],
  ])('%s reads those texts of its protocol alone that it needs', (prune, calibration, gradients) => {
    const document = compile(`${HEAD}experiment e { protocol: pruner-zero model: tiny at: 50% prune: ${prune} }`);
    const [plan] = plansFor(document, 'e', { folder: '/' });
    expect([plan!.calibration, plan!.gradients]).toEqual([calibration, gradients]);
    expect(Object.keys(plan!.rows!)).toEqual(gradients === undefined ? ['text'] : ['text', 'gradients']);
  });

  it('the dense model reads the text of the evaluation alone', () => {
    const [plan] = plansFor(compile(`${HEAD}experiment e { protocol: pruner-zero model: tiny }`), 'e', { folder: '/' });
    expect(Object.keys(plan!).toSorted()).toEqual(['evaluations', 'model', 'protocol', 'rows', 'settings', 'text']);
  });

  it('magnitude is compared as ever where the protocol says nothing of it', () => {
    const [first] = planOf('protocol: flap').evaluations;
    expect(first).not.toHaveProperty('group');
  });

  it('lacks what the protocol does not name either', () => {
    checkMarked(`${HEAD}experiment e { protocol: wanda prune: wanda at: 50% }
           ^ experiment/missing does not say \`model\`:
experiment f { protocol: llm-pruner model: tiny prune: wanda at: 50% }
           ^ experiment/missing does not say \`calibrate\`:
experiment g { protocol: wand model: tiny evaluate: own }
                         ^^^^ property/type did you mean \`wanda\`?
search s { protocol: wanda model: tiny }
       ^ search/missing does not say \`evaluate\`:
search u { protocol: wanda model: tiny evaluate: "hf:Salesforce/wikitext/wikitext-2-raw-v1:test" }
                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ search/seen-test the fitness is taken on it
search t { protocol: wanda model: tiny evaluate: own protocol: flap }
                                                     ^^^^^^^^ property/duplicate`);
  });

  it('a lone metric, too, and without the editor’s texts in the place of the protocol’s', () => {
    const fallback = { model: '/m', text: '/t', calibration: '/c' };
    const plan = (text: string) => plansFor(compile(text), 'a', { folder: '/', fallback })[0]!;
    expect(plan('metric a = W * X\ndefaults { protocol: wanda }\n')).toMatchObject({
      model: '/m',
      text: 'hf:Salesforce/wikitext/wikitext-2-raw-v1:test',
    });
    expect(plan('corpus c = "only"\nmetric a = W * X\ndefaults { protocol: wanda }\n').text).toMatch(/^hf:/);
    expect(plan('metric a = W * X\ndefaults { protocol: llm-pruner }\n').calibration).toBe('/c');
    expect(plan('metric a = W * X\n')).toMatchObject({ text: '/t', calibration: '/c' });
  });
});

describe('a search under a protocol', () => {
  it.each(SEARCH_METHOD_NAMES)('by %s has its calibration, and evaluates its text at the end', (method) => {
    const text = `${HEAD}search s { method: ${method} protocol: wanda model: tiny evaluate: own at: 30% }`;
    const document = compile(text);
    expect(document.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const [plan] = searchPlansFor(document, 's', { folder: '/', prompts: PROMPTS });
    expect(plan).toMatchObject({
      protocol: 'wanda',
      text: '/own.txt',
      test: 'hf:Salesforce/wikitext/wikitext-2-raw-v1:test',
      calibration: 'hf:allenai/c4/en/c4-train.00000-of-01024.json.gz',
      // The text of the fitness is read as that of the end.
      rows: { test: { rows: 'wikitext' }, text: { rows: 'wikitext' } },
      settings: { offsets: 'documents', lengthLimit: 0 },
    });
    expect(searchPlanSchema.safeParse(plan).error).toBeUndefined();
  });

  it('takes no text as unseen that its fitness is taken on', () => {
    const text = `${HEAD}experiment e { protocol: wanda model: tiny prune: wanda at: 50% }`;
    const plan = searchPlanFrom(compile(text), 'wanda', { folder: '/' });
    expect(plan).toMatchObject({ protocol: 'wanda', text: 'hf:Salesforce/wikitext/wikitext-2-raw-v1:test' });
    // From a metric that needs no calibration, too.
    const ofWeights = compile(`${HEAD}metric mag = W\nexperiment e { protocol: wanda model: tiny prune: mag at: 50% }`);
    const { calibration } = searchPlanFrom(ofWeights, 'mag', { folder: '/' });
    expect(calibration).toBe('hf:allenai/c4/en/c4-train.00000-of-01024.json.gz');
    expect(plan).not.toHaveProperty('test');
    expect(plan.rows).not.toHaveProperty('test');
  });

  it('has its settings of the method, unless others are said', () => {
    const search = (said: string) =>
      searchPlansFor(
        compile(
          `${HEAD}search s { method: policy-gradient protocol: policy-gradient model: tiny evaluate: own at: 30% ${said} }`,
        ),
        's',
        { folder: '/' },
      )[0]!.search;
    expect(search('')).toMatchObject({ steps: 15_000, batch: 8, tokens: 128 });
    expect(search('steps: 20')).toMatchObject({ steps: 20, batch: 8 });
  });
});

describe('a plan under flags', () => {
  it('is the same where nothing is said, whatever protocol and rows it has', () => {
    const protocol = fc.constantFrom(undefined, ...PROTOCOL_NAMES);
    const rows = fc.record({
      rows: fc.constantFrom('whole', 'wikitext', 'lines'),
      join: fc.constantFrom('blank-line', 'space'),
      first: fc.constantFrom(0, 3),
    });
    fc.assert(
      fc.property(
        protocol,
        rows,
        rows,
        fc.constantFrom('', 'length: 32', 'group: row', 'seed: 3'),
        (name, text, calibration, more) => {
          const said = (of: object) =>
            Object.entries(of)
              .map(([key, value]) => `${key}: ${String(value)}`)
              .join(', ');
          const plan = planOf(
            `${name ? `protocol: ${name}` : ''} evaluate: own (${said(text)}) calibrate: own (${said(calibration)}) ${more}`,
          );
          expect(planSchema.safeParse(plan).error).toBeUndefined();
          expect(planUnder({ settings: {} }, plan)).toEqual(plan);
          expect(planUnder({ settings: { length: 8 } }, plan)).toEqual({
            ...plan,
            settings: { ...plan.settings, length: 8 },
          });
          expect(planUnder({ settings: {}, rows: { text: text } }, plan)).toEqual(plan);
        },
      ),
      { numRuns: 60, seed: 1 },
    );
  });

  it('takes a protocol’s settings, and keeps its own texts', () => {
    const plan = planOf('evaluate: own calibrate: own length: 32');
    const under = planUnder({ settings: { seed: 5 }, protocol: 'wanda' }, plan);
    expect(under).toMatchObject({
      protocol: 'wanda',
      text: plan.text,
      settings: { length: 0, seed: 5, offsets: 'documents' },
    });
    expect(under.evaluations.map((evaluation) => ('group' in evaluation ? evaluation.group : undefined))).toEqual([
      'layer',
      undefined,
    ]);
  });
});

describe('hovering a protocol', () => {
  const hoverOf = (marked: string): string => {
    const { document, source, offset } = cursor(marked);
    return (hover(document, source, offset)?.contents as { value: string }).value;
  };

  it('lists what it sets, with its sources, and its notes', () => {
    const text = hoverOf('experiment e { protocol: wan|da }');
    expect(text).toContain(PROTOCOLS.wanda.documentation);
    expect(text).toContain(
      '| `calibrate` | C4, shard 0 of the training split `hf:allenai/c4/en/c4-train.00000-of-01024.json.gz` | Wanda, lib/data.py, get_c4 |',
    );
    expect(text).toContain(
      '| `evaluate` | WikiText-2, test `hf:Salesforce/wikitext/wikitext-2-raw-v1:test` (rows wikitext, join blank-line) |',
    );
    expect(text).toContain('| `lengthLimit` | `0` |');
    for (const note of PROTOCOLS.wanda.notes) expect(text).toContain(note);
    expect(text).toContain('Here all of it holds.');
    expect(hoverOf('experiment e { protocol: policy-gra|dient }')).toContain('| `steps` of a search | `15000` |');
  });

  it.each([
    ['experiment e { protocol: wan|da length: 1024 }', 'wanda, but length 1024'],
    ['defaults { seed: 1 } experiment e { protocol: wan|da length: 1024 }', 'wanda, but length 1024, seed 1'],
    ['experiment e { protocol: wan|da evaluate: "my.txt" }', 'wanda, but text my.txt'],
    ['experiment e { protocol: wan|da evaluate: "my.txt" (rows: lines) }', 'wanda, but text my.txt, text rows lines'],
    [
      'experiment e { protocol: wan|da calibrate: "c.txt" (samples: 8) }',
      'wanda, but calibration text c.txt, samples 8',
    ],
    ['experiment e { protocol: pruner-z|ero gradients: "g.txt" }', 'pruner-zero, but text of gradients g.txt'],
    ['search s { protocol: wan|da evaluate: "fitness.txt" test: "mine.txt" }', 'wanda, but text mine.txt'],
    ['search s { method: policy-gradient protocol: policy-gra|dient steps: 100 }', 'policy-gradient, but steps 100'],
    ['experiment e { protocol: sparse|gpt length: 2048 }', undefined],
    ['search s { protocol: wan|da evaluate: "fitness.txt" }', undefined],
  ])('says what the block has of it: %s', (marked, expected) => {
    const plain = hoverOf(marked).replaceAll('\\', '');
    expect(plain).toContain(expected === undefined ? 'Here all of it holds.' : `Here it is **${expected}**`);
  });

  it('escapes what a file says', () => {
    expect(hoverOf('experiment e { protocol: wan|da evaluate: "[a](command:x)" }')).toContain('\\[a\\]');
  });

  it('is what completion shows of it', () => {
    const { document, source, offset } = cursor('experiment e { protocol: |');
    const flap = complete(document, source, offset).find(({ label }) => label === 'flap');
    expect(flap?.detail).toContain('WikiText-2 in blocks of 128');
    expect(flap?.documentation).toMatchObject({ value: expect.stringContaining('| `length` | `128` |') as string });
  });

  it('of a corpus shows what it says of its rows', () => {
    expect(hoverOf('corpus c = "x" (rows: lines)\nexperiment e { evaluate: |c }')).toContain(
      'corpus c = "x" (rows: lines)',
    );
  });
});
