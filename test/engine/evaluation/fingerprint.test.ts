import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { machineOf } from '../../../src/engine/runtime/machine.ts';
import type { EvaluationPlan } from '../../../src/experiment/planSchema.ts';
import type { EvaluationResult } from '../../../src/experiment/resultSchema.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../../../src/experiment/settings.ts';
import { fromPrefix } from '../../support/oracle/prefix.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';

// One input is changed at a time: the fingerprint changes where the number can, and nothing that an engine or a cache folder remembers
// of before comes into a number.

const METRIC = {
  metric: 'both',
  expression: fromPrefix('add(mul(W, sqrt(X)), mul(W, G))'),
  sparsity: { kind: 'unstructured', share: 0.5 },
} as const;

const SPARSEGPT = { method: 'sparsegpt', damping: 0.01, columns: 128 } as const;
const ADMM = { method: 'admm', iterations: 20, damping: 0.1 } as const;

let family: TemporaryFamily;
let cacheFolder: string;
/** Has evaluated everything of before. */
let warm: Engine;
let before: EvaluationResult;
const folders: string[] = [];

beforeAll(async () => {
  family = await temporaryFamily('llama-3.1');
  cacheFolder = mkdtempSync(join(tmpdir(), 'espalier-cache-'));
  warm = createEngine({ cacheFolder });
  before = (await evaluate(warm, family.folder))[0]!;
});
afterAll(async () => {
  await warm.dispose();
  for (const folder of [cacheFolder, ...folders]) rmSync(folder, { recursive: true });
  await family.remove();
});

interface Change {
  /** In a copy of the checkpoint, with its texts in it. */
  readonly files?: (folder: string) => void;
  readonly settings?: Partial<EvaluationSettings>;
  readonly evaluations?: EvaluationPlan['evaluations'];
}

function evaluate(
  engine: Engine,
  folder: string,
  { settings, evaluations = [METRIC] }: Change = {},
): Promise<readonly EvaluationResult[]> {
  const few = { samples: 3, blocks: 3, length: 24, device: 'cpu', threads: 1 } as const;
  return engine.evaluate({
    ...{ model: folder, text: join(folder, 'text.txt'), calibration: join(folder, 'calibration.txt'), evaluations },
    settings: { ...DEFAULT_SETTINGS, ...few, ...settings },
  });
}

/** Evaluated by the engine that knows all of before, and by one that knows nothing; they have to agree. */
async function changed(change: Change): Promise<EvaluationResult> {
  const folder = mkdtempSync(join(tmpdir(), 'espalier-changed-'));
  folders.push(folder);
  cpSync(family.folder, folder, { recursive: true });
  // First as it was, under the same path: names must not stand for contents.
  expect((await evaluate(warm, folder))[0]!.fingerprint).toBe(before.fingerprint);
  change.files?.(folder);
  const cold = createEngine();
  const [known] = await evaluate(warm, folder, change);
  const [anew] = await evaluate(cold, folder, change).finally(() => cold.dispose());
  expect([known!.perplexity, known!.densePerplexity]).toEqual([anew!.perplexity, anew!.densePerplexity]);
  expect(known!.fingerprint).toBe(anew!.fingerprint);
  return known!;
}

const json = (folder: string, name: string, edit: (value: Record<string, unknown>) => void): void => {
  const value = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, unknown>;
  edit(value);
  writeFileSync(join(folder, name), JSON.stringify(value));
};
const writing =
  (name: string, value: unknown): ((folder: string) => void) =>
  (folder) => {
    writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  };
const bytes = (folder: string, name: string, edit: (content: Buffer) => Buffer): void => {
  const file = join(folder, name);
  // Written anew: what others have open stays as it is.
  const content = edit(readFileSync(file));
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
};
/** Of the safetensors file that holds most: a weight's sign. */
const turnWeight = (folder: string): void => {
  bytes(folder, 'model.safetensors', (content) => {
    const at = content.length - 1;
    content[at] = content[at]! ^ 0x80;
    return content;
  });
};

const DECIDING: readonly (readonly [string, Change])[] = [
  [
    'no token at the start (tokenizer_config.json)',
    { files: writing('tokenizer_config.json', { add_bos_token: false }) },
  ],
  [
    'another token at the start',
    { files: writing('tokenizer_config.json', { add_bos_token: true, bos_token: '</s>' }) },
  ],
  [
    'another, as an object',
    { files: writing('tokenizer_config.json', { add_bos_token: true, bos_token: { content: '<unk>' } }) },
  ],
  ['a token at the end', { files: writing('tokenizer_config.json', { add_eos_token: true, eos_token: '</s>' }) }],
  [
    'tokenizer.json',
    {
      files: (folder) => {
        json(folder, 'tokenizer.json', (value) => {
          value['post_processor'] = null;
        });
      },
    },
  ],
  [
    'config.json',
    {
      files: (folder) => {
        json(folder, 'config.json', (value) => {
          value['rms_norm_eps'] = 0.125;
        });
      },
    },
  ],
  [
    'how positions are scaled (config.json)',
    {
      files: (folder) => {
        json(folder, 'config.json', (value) => {
          value['rope_theta'] = 77;
          value['rope_scaling'] = null;
        });
      },
    },
  ],
  ['one weight', { files: turnWeight }],
  [
    'the text',
    {
      files: (folder) => {
        bytes(folder, 'text.txt', (content) => Buffer.from(content.toString().slice(60)));
      },
    },
  ],
  [
    'the calibration text',
    {
      files: (folder) => {
        bytes(folder, 'calibration.txt', (content) => Buffer.from(content.toString().slice(70)));
      },
    },
  ],
  ['the sparsity', { evaluations: [{ ...METRIC, sparsity: { kind: 'unstructured', share: 0.6 } }] }],
  ['the metric', { evaluations: [{ ...METRIC, expression: fromPrefix('mul(W, X)') }] }],
  ['the length', { settings: { length: 20 } }],
  ['the number of blocks', { settings: { blocks: 2 } }],
  ['the number of samples', { settings: { samples: 2 } }],
  ['where samples start', { settings: { offsets: 'even' } }],
  ['the seed of where they start', { settings: { seed: 9 } }],
  ['the comparison group', { settings: { group: 'layer' } }],
  ['one-shot calibration', { settings: { calibrate: 'one-shot' } }],
  ['an update by SparseGPT', { evaluations: [{ ...METRIC, update: SPARSEGPT }] }],
  ['an update by ADMM', { evaluations: [{ ...METRIC, update: ADMM }] }],
];

const OTHER: readonly (readonly [string, Change])[] = [
  ['another folder', {}],
  [
    'the rest of tokenizer_config.json',
    { files: writing('tokenizer_config.json', { chat_template: 'x', bos_token: '</s>', model_max_length: 9 }) },
  ],
  ['a tokenizer_config.json that states nothing', { files: writing('tokenizer_config.json', { add_bos_token: null }) }],
  ['generation_config.json', { files: writing('generation_config.json', { temperature: 2 }) }],
  ['special_tokens_map.json', { files: writing('special_tokens_map.json', { bos_token: '</s>' }) }],
  ['added_tokens.json', { files: writing('added_tokens.json', { '<new>': 5 }) }],
  ['a chat template', { files: writing('chat_template.jinja', '{{ messages }}') }],
  ['weights that are not read', { files: writing('other.safetensors', 'nothing') }],
  ['the name of the metric', { evaluations: [{ ...METRIC, metric: 'renamed' }] }],
];

describe('what is evaluated', () => {
  it.each(DECIDING)('%s: another number, and another fingerprint', async (_, change) => {
    const after = await changed(change);
    expect(after.perplexity).not.toBe(before.perplexity);
    expect(after.fingerprint).not.toBe(before.fingerprint);
  });

  it.each(OTHER)('%s: the same number, and the same fingerprint', async (_, change) => {
    const after = await changed(change);
    expect(after.perplexity).toBe(before.perplexity);
    expect(after.fingerprint).toBe(before.fingerprint);
  });

  it('every setting of an update decides, and who chooses the mask', async () => {
    const { metric, sparsity } = METRIC;
    const own = { metric, sparsity };
    const evaluations = [
      { ...METRIC, update: SPARSEGPT },
      { ...METRIC, update: { ...SPARSEGPT, damping: 0.1 } },
      { ...own, update: SPARSEGPT },
      { ...own, update: { ...SPARSEGPT, columns: 16 } },
      { ...METRIC, update: ADMM },
      { ...METRIC, update: { ...ADMM, iterations: 3 } },
      { ...METRIC, update: { ...ADMM, damping: 0.2 } },
    ];
    const results = await evaluate(warm, family.folder, { evaluations });
    expect(new Set(results.map(({ fingerprint }) => fingerprint)).size).toBe(evaluations.length);
    expect(new Set(results.map(({ perplexity }) => perplexity)).size).toBe(evaluations.length);
    // The group of a mask that no metric chooses is none.
    const byLayer = await evaluate(warm, family.folder, { evaluations, settings: { group: 'layer' } });
    expect(byLayer.map(({ fingerprint }, i) => fingerprint === results[i]!.fingerprint)).toEqual(
      evaluations.map((each) => !('expression' in each)),
    );
  });

  it.each<[string, Change, Change]>([
    ['a seed that even offsets do not use', { settings: { offsets: 'even' } }, { settings: { seed: 7 } }],
    [
      'a group where N of M are kept',
      { evaluations: [{ ...METRIC, sparsity: { kind: 'n:m', keep: 2, of: 4 } }] },
      { settings: { group: 'layer' } },
    ],
    ['samples that the dense model does not look at', { evaluations: [] }, { settings: { samples: 2 } }],
  ])('%s: the same', async (_, one, other) => {
    const [first] = await evaluate(warm, family.folder, one);
    const both = { ...one, ...other, settings: { ...one.settings, ...other.settings } };
    const [second] = await evaluate(warm, family.folder, both);
    expect([second!.perplexity, second!.fingerprint]).toEqual([first!.perplexity, first!.fingerprint]);
  });
});

describe('where it is evaluated', () => {
  it('the processor is told, and variables by which libraries compute otherwise', () => {
    expect(before.provenance.machine).toEqual(machineOf('cpu'));
    expect(Object.keys(machineOf('cpu', {}))).toEqual(['processor']);
    const environment = { NVIDIA_TF32_OVERRIDE: '1', ORT_DISABLE_FLASH_ATTENTION: '1', ORT_DISABLE_TELEMETRY: '1' };
    expect(machineOf('cuda', { ...environment, HOME: '/root', CUBLAS_WORKSPACE_CONFIG: '' })).toEqual({
      ...{ NVIDIA_TF32_OVERRIDE: '1', ORT_DISABLE_FLASH_ATTENTION: '1' },
    });
  });
});
