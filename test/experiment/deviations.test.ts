import { describe, expect, it } from 'vitest';
import { DEFAULT_ROWS } from '../../src/experiment/corpusRows.ts';
import { deviationsOf, ownDeviations, protocolText } from '../../src/experiment/deviations.ts';
import type { KnownInputs } from '../../src/experiment/deviations.ts';
import { defaultLength } from '../../src/experiment/length.ts';
import type { PlanInputs, WeightEvaluation } from '../../src/experiment/planSchema.ts';
import { protocolSettings } from '../../src/experiment/protocols.ts';
import type { ProtocolName } from '../../src/experiment/protocols.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import type { EvaluationSettings } from '../../src/experiment/settings.ts';
import { operand } from '../../src/metric/expression.ts';

const WIKI = 'hf:Salesforce/wikitext/wikitext-2-raw-v1';
const C4 = 'hf:allenai/c4/en/c4-train.00000-of-01024.json.gz';
const AS_TEST = { ...DEFAULT_ROWS, rows: 'wikitext' } as const;
const CACHE = '/home/u/.cache/huggingface/hub';
/** Of wiki.test.raw. */
const RAW = 'aca2f46735043bcfd0a44eca981d04627b9cdf74c4c9a04bf0856d04066f58fc';

const wanda = (settings: Partial<EvaluationSettings> = {}, more: Partial<PlanInputs> = {}): PlanInputs => ({
  ...{ model: '/m', text: `${WIKI}:test`, calibration: C4, protocol: 'wanda', rows: { text: AS_TEST } },
  ...more,
  settings: { ...DEFAULT_SETTINGS, ...protocolSettings(more.protocol ?? 'wanda'), ...settings },
});

const COMMIT = 'ab12'.repeat(10);

describe('what a plan differs in from its protocol', () => {
  it.each<[string, PlanInputs, Partial<KnownInputs>, readonly string[]]>([
    ['nothing', wanda(), {}, []],
    ['another length', wanda({ length: 1024 }), {}, ['length 1024']],
    ['the same length, said', wanda({ length: 2048 }), { modelLength: 2048 }, []],
    ['the papers’ length of LLaMA, on LLaMA-2', wanda({ length: 2048 }), { modelLength: 4096 }, ['length 2048']],
    ['a limit that is beyond the model', wanda({ lengthLimit: 8192 }), { modelLength: 4096 }, []],
    ['a limit that is not', wanda({ lengthLimit: 2048 }), { modelLength: 4096 }, ['length 0, at most 2048']],
    ['samples', wanda({ samples: 16, seed: 1, offsets: 'random' }), {}, ['samples 16', 'offsets random', 'seed 1']],
    ['samples of nothing', wanda({ samples: 16, seed: 1, calibrationLength: 8 }), { calibrated: false }, []],
    ['their length', wanda({ calibrationLength: 512 }), {}, ['length of samples 512']],
    ['calibration', wanda({ calibrate: 'one-shot', group: 'layer' }), {}, ['group layer', 'calibration one-shot']],
    ['a part of the text', wanda({ blocks: 4 }), {}, ['blocks 4']],
    ['where it runs', wanda({ device: 'cuda', precision: 'float16', threads: 3 }), {}, []],
    ['gradients that there are none of', wanda({ gradientSamples: 3 }), { gradients: false }, []],
    [
      'gradients',
      wanda({ gradientSamples: 3, gradientLength: 8, gradientOffsets: 'even' }),
      {},
      ['samples for gradients 3', 'length of samples for gradients 8', 'offsets for gradients even'],
    ],
    ['another text', wanda({}, { text: '/d/my.txt' }), {}, ['text my.txt']],
    ['another text, on Windows', wanda({}, { text: 'C:\\d\\my.txt' }), {}, ['text my.txt']],
    ['the plain file of it', wanda({}, { text: '/d/wiki.test.raw' }), { hashes: { text: RAW } }, []],
    [
      'the plain file as its archive has it',
      wanda({}, { text: '/d/wiki.test.raw' }),
      { hashes: { text: '173c87a53759e0201f33e0ccf978e510c2042d7f2cb78229d9a50d79b9e7dd08' } },
      [],
    ],
    [
      'a file that is only called so',
      wanda({}, { text: '/d/wiki.test.raw' }),
      { hashes: { text: RAW.replace('a', 'b') } },
      ['text wiki.test.raw'],
    ],
    [
      'the plain file as prose',
      wanda({}, { text: '/d/wiki.test.raw', rows: {} }),
      { hashes: { text: RAW } },
      ['text as its file has it'],
    ],
    [
      'rows joined otherwise',
      wanda({}, { rows: { text: { ...AS_TEST, join: 'space' } } }),
      {},
      ['text rows wikitext, join space'],
    ],
    [
      'rows of the calibration',
      wanda({}, { rows: { text: AS_TEST, calibration: { ...DEFAULT_ROWS, first: 3 } } }),
      {},
      ['calibration text first 3'],
    ],
    [
      'the hub’s cache',
      wanda(
        {},
        {
          text: `${CACHE}/datasets--Salesforce--wikitext/snapshots/${COMMIT}/wikitext-2-raw-v1/test-00000-of-00001.parquet`,
        },
      ),
      {},
      [],
    ],
    [
      'another split in it',
      wanda(
        {},
        {
          text: `${CACHE}/datasets--Salesforce--wikitext/snapshots/${COMMIT}/wikitext-2-raw-v1/validation-00000-of-00001.parquet`,
        },
      ),
      {},
      ['text validation-00000-of-00001.parquet'],
    ],
    [
      'another data set in it',
      wanda({}, { calibration: `${CACHE}/datasets--o--c4/snapshots/${COMMIT}/en/c4-train.00000-of-01024.json.gz` }),
      {},
      ['calibration text c4-train.00000-of-01024.json.gz'],
    ],
    [
      'its shard in it',
      wanda(
        {},
        { calibration: `${CACHE}/datasets--allenai--c4/snapshots/${COMMIT}/en/c4-train.00000-of-01024.json.gz` },
      ),
      {},
      [],
    ],
    ['a text of gradients that it has none of', wanda({}, { gradients: '/g.txt' }), {}, ['text of gradients g.txt']],
    [
      'its text of gradients',
      wanda(
        {},
        {
          protocol: 'pruner-zero',
          gradients: `${WIKI}:train`,
          rows: { text: AS_TEST, gradients: { ...AS_TEST, join: 'space' } },
        },
      ),
      {},
      [],
    ],
    [
      'a text that it names no place of',
      wanda({ seed: 42 }, { protocol: 'llm-pruner', calibration: '/books.txt' }),
      {},
      ['calibration text books.txt'],
    ],
  ])('%s', (_, plan, known, expected) => {
    expect(deviationsOf(plan, { modelLength: 2048, hashes: {}, calibrated: true, gradients: true, ...known })).toEqual(
      expected,
    );
  });

  it.each<[string, string, Partial<WeightEvaluation>, Partial<EvaluationSettings>, readonly string[]]>([
    ['magnitude over the whole matrix', 'W', { group: 'layer' }, {}, []],
    ['magnitude by rows', 'W', { group: 'row' }, {}, ['group row']],
    ['magnitude by rows within a pattern', 'W', { group: 'row', sparsity: { kind: 'n:m', keep: 2, of: 4 } }, {}, []],
    ['another metric as ever', 'X', {}, {}, []],
    ['another metric by rows, said', 'X', { group: 'row' }, {}, []],
    ['another metric over the whole matrix', 'X', { group: 'layer' }, {}, ['group layer']],
    ['the same where that is said of all', 'X', { group: 'layer' }, { group: 'layer' }, []],
  ])('of %s', (_, name, more, settings, expected) => {
    const expression = operand(name as 'W' | 'X');
    const evaluation = { metric: 'm', expression, sparsity: { kind: 'unstructured', share: 0.5 }, ...more } as const;
    expect(ownDeviations(wanda(settings), evaluation)).toEqual(expected);
  });

  it('of none there are none', () => {
    const plan = { model: '/m', text: '/t', settings: { ...DEFAULT_SETTINGS, samples: 1 } };
    expect(deviationsOf(plan, { modelLength: 2048, hashes: {}, calibrated: true, gradients: true })).toEqual([]);
  });

  it.each<[ProtocolName, readonly string[], string]>([
    ['wanda', [], 'wanda'],
    ['wanda', ['length 1024'], 'wanda, but length 1024'],
    ['pruner-zero', ['samples 8', 'seed 1'], 'pruner-zero, but samples 8, seed 1'],
  ])('is said behind its name: %s %j', (name, deviations, text) => {
    expect(protocolText(name, deviations)).toBe(text);
  });

  it.each([
    [4096, 2048, 2048],
    [4096, 0, 4096],
    [4096, 8192, 4096],
  ])('on a model of %i, at most %i, a length of 0 is %i', (model, limit, expected) => {
    expect(defaultLength(model, limit)).toBe(expected);
  });
});
