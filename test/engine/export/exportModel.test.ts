import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { createEngine } from '../../../src/engine/engine.ts';
import { blockShape } from '../../../src/engine/families/config.ts';
import { allParameters } from '../../../src/engine/families/families.ts';
import type { ExportFormat } from '../../../src/experiment/exportFormats.ts';
import type { TextPlan, PlannedEvaluation } from '../../../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { packBits } from '../../../src/experiment/components.ts';
import type { BlockMask, RateAllocation } from '../../../src/experiment/structureSchema.ts';
import type { StructureMethod } from '../../../src/experiment/structure.ts';
import { parsePrefix } from '../../../src/metric/parsePrefix.ts';
import { exportTests } from '../../support/exports.ts';
import { failureOf } from '../../support/expectCoded.ts';
import type { FamilyName } from '../../support/generate/families.ts';

// The engine of a worker stands for the fresh process here: that it is one is tested with the real worker.

const wanda = parsePrefix('mul(W, sqrt(X))');
const half = { kind: 'unstructured', share: 0.5 } as const;
const structure = (method: StructureMethod, rates: RateAllocation = { kind: 'uniform' }): PlannedEvaluation => ({
  metric: method,
  structure: { kind: 'scored', score: { kind: 'method', method }, rates },
  sparsity: half,
});

const at = exportTests('pruned');

async function planOf(name: FamilyName, evaluation: PlannedEvaluation): Promise<TextPlan> {
  const family = await at.family(name);
  return {
    model: family.folder,
    text: family.textFile,
    calibration: family.calibrationFile,
    evaluations: [evaluation],
    settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, samples: 2, blocks: 2, length: 24, offsets: 'even' },
  };
}

async function fitnessOf(model: string, plan: TextPlan): Promise<number> {
  const [result] = await at.engine.evaluate({ ...plan, model, evaluations: [] });
  return result!.perplexity;
}

describe('a model that is exported is one that is evaluated', () => {
  it.each<[FamilyName, PlannedEvaluation]>([
    ['llama-2 grouped queries', { metric: 'wanda', expression: wanda, sparsity: half }],
    ['qwen2', { metric: 'wanda', expression: wanda, sparsity: { kind: 'n:m', keep: 2, of: 4 } }],
    ['llama-3.1', structure('wanda-sp')],
    ['llama-2 grouped queries', structure('wanda-sp', { kind: 'owl', multiple: 3, spread: 0.2 })],
    ['mistral', structure('flap', { kind: 'global' })],
    ['llama biases', structure('flap')],
    ['opt-350m', structure('taylor')],
    ['gemma', { metric: 'wanda', expression: wanda, sparsity: half }],
    ['gemma2', structure('flap')],
    ['gemma3', structure('shortgpt')],
    ['olmo2', structure('taylor')],
    ['granite', { metric: 'wanda', expression: wanda, sparsity: { kind: 'n:m', keep: 2, of: 4 } }],
    ['stablelm 12b', structure('wanda-sp', { kind: 'owl', multiple: 3, spread: 0.2 })],
    ['smollm3', structure('shortgpt')],
    ['cohere', structure('taylor')],
    ['cohere2', structure('wanda-sp')],
    ['qwen3', structure('shortgpt')],
    ['gpt-neox', { metric: 'wanda', expression: wanda, sparsity: half }],
    ['gpt-neox, in sequence', structure('flap')],
    ['phi-4', { metric: 'wanda', expression: wanda, sparsity: { kind: 'n:m', keep: 2, of: 4 } }],
    ['phi-3', structure('wanda-sp')],
    ['gpt-2', { metric: 'wanda', expression: wanda, sparsity: half }],
    ['gpt-2, scaled by block', structure('shortgpt')],
    ['gpt-2, scaled by block', structure('flap')],
    ['bloom, added to the norms', structure('flap')],
    ['bloom', { metric: 'wanda', expression: wanda, sparsity: half }],
    ['falcon 7b', structure('flap')],
    ['falcon 40b', structure('taylor')],
    ['falcon rw', structure('wanda-sp', { kind: 'global' })],
  ])('%s, $metric', async (name, evaluation) => {
    const plan = await planOf(name, evaluation);
    const report = await at.engine.exportModel(plan, { folder: at.folder, format: 'huggingface' });
    expect(report.verification.difference).toBeLessThan(1e-4);
    expect(Math.abs((await fitnessOf(at.folder, plan)) / report.result.perplexity - 1)).toBeLessThan(1e-4);
    const exported = await openCheckpoint(at.folder);
    const dense = await openCheckpoint(plan.model);
    const smaller = 'structure' in evaluation;
    expect(report.parameters.exported < report.parameters.dense).toBe(smaller);
    // What was stored in sixteen bits stays so, but for biases that were not there before.
    for (const { tensor } of allParameters(exported.config)) {
      const stored = exported.tensors.get(tensor)!.dtype;
      if (!tensor.endsWith('.bias'))
        expect(stored).toBe(dense.tensors.get(allParameters(dense.config)[0]!.tensor)!.dtype);
    }
    exported.close();
    dense.close();
    expect(await readFile(path.join(at.folder, 'README.md'), 'utf8')).toContain(report.result.fingerprint);
    expect(await readdir(path.dirname(at.folder))).toEqual(['pruned']);
  });

  it.each<[FamilyName, PlannedEvaluation]>([
    ['llama-2 grouped queries', { metric: 'wanda', expression: wanda, sparsity: half }],
    ['opt', structure('flap')],
    ['gpt-neox', structure('wanda-sp')],
    ['phi-4', structure('wanda-sp')],
    ['gpt-2', structure('wanda-sp')],
    ['bloom', structure('wanda-sp')],
    ['falcon rw', structure('flap')],
    ['gemma3', { metric: 'wanda', expression: wanda, sparsity: half }],
    ['cohere', structure('flap')],
  ])('%s as ONNX', async (name, evaluation) => {
    const planned = await planOf(name, evaluation);
    const plan = { ...planned, settings: { ...planned.settings, calibrationLength: 16 } };
    const report = await at.engine.exportModel(plan, { folder: at.folder, format: 'onnx' });
    expect(report.verification.difference).toBeLessThan(1e-4);
    const card = await readFile(path.join(at.folder, 'README.md'), 'utf8');
    expect(card).toContain(`, ${plan.settings.samples} samples of 16 tokens, `);
    expect(card).toContain('`generate()`');
    const files = ['config.json', 'generation_config.json', 'onnx', 'tokenizer.json', 'tokenizer_config.json'];
    expect((await readdir(at.folder)).sort()).toEqual(['README.md', ...files]);
    expect((await readdir(path.join(at.folder, 'onnx'))).sort()).toEqual(['model.onnx', 'model.onnx_data']);
    expect(await readdir(path.dirname(at.folder))).toEqual(['pruned']);
  });

  it('a mask that a search has found, and what is exported once more', async () => {
    const mask = [
      { groups: '8', channels: 'ff'.repeat(7) },
      { groups: 'f', channels: '0f'.repeat(7), dropped: true as const },
      { groups: 'f', channels: '0f'.repeat(7) },
    ];
    const plan = await planOf('llama-1', { metric: 'found', structure: { kind: 'mask', mask }, sparsity: half });
    await at.engine.exportModel(plan, { folder: at.folder, format: 'huggingface' });
    const config = JSON.parse(await readFile(path.join(at.folder, 'config.json'), 'utf8')) as Record<string, unknown>;
    expect(config).toMatchObject({
      num_hidden_layers: 2,
      espalier: {
        format: 1,
        blocks: [
          { heads: 1, kv_heads: 1, intermediate: 56 },
          { heads: 4, kv_heads: 4, intermediate: 28 },
        ],
      },
    });
    const again = { ...plan, model: at.folder, evaluations: [structure('magnitude')] };
    const second = `${at.folder}-again`;
    const report = await at.engine.exportModel(again, { folder: second, format: 'huggingface' });
    expect(Math.abs((await fitnessOf(second, plan)) / report.result.perplexity - 1)).toBeLessThan(1e-4);
  });
});

describe('what depends on its place stays what it is when others go, twice', () => {
  /** Of a block; all groups where they are not given. */
  type Kept = Pick<BlockMask, 'dropped'> & { readonly groups?: readonly number[] };

  /** Where a model without the rest lies, and its perplexity. */
  async function exported(name: FamilyName, model: string, kept: readonly Kept[]): Promise<[string, number]> {
    const checkpoint = await openCheckpoint(model);
    checkpoint.close();
    const { config } = checkpoint;
    const mask = kept.map(({ groups, dropped }, index) => ({
      groups: packBits(
        Array.from({ length: blockShape(config, index).kvHeads }, (_, i) => groups?.includes(i) ?? true),
      ),
      channels: packBits(Array.from({ length: config.intermediate }, () => 1)),
      ...(dropped && { dropped }),
    }));
    const plan = await planOf(name, { metric: 'found', structure: { kind: 'mask', mask }, sparsity: half });
    const to = path.join(await mkdtemp(path.join(path.dirname(at.folder), 'placed-')), 'pruned');
    const { result } = await at.engine.exportModel({ ...plan, model }, { folder: to, format: 'huggingface' });
    return [to, result.perplexity];
  }

  async function blocksOf(model: string): Promise<unknown> {
    const config = JSON.parse(await readFile(path.join(model, 'config.json'), 'utf8')) as Record<string, object>;
    return config['espalier'];
  }

  it('heads with slopes of ALiBi', async () => {
    const plan = await planOf('falcon rw', structure('magnitude'));
    const [first] = await exported('falcon rw', plan.model, [{ groups: [1, 2, 4, 5, 11] }, {}, {}]);
    const [second, twice] = await exported('falcon rw', first, [{ groups: [1, 2, 4] }, { groups: [0, 5] }, {}]);
    const [, once] = await exported('falcon rw', plan.model, [{ groups: [2, 4, 11] }, { groups: [0, 5] }, {}]);
    for (const value of [twice, await fitnessOf(second, plan)]) expect(Math.abs(value / once - 1)).toBeLessThan(1e-4);
    expect(await blocksOf(second)).toMatchObject({
      blocks: [{ groups: [2, 4, 11] }, { groups: [0, 5] }, { heads: 12 }],
    });
  });

  it('blocks whose attention is scaled by their index', async () => {
    const name = 'gpt-2, scaled by block';
    const plan = await planOf(name, structure('magnitude'));
    const [first] = await exported(name, plan.model, [{ dropped: true }, {}, {}]);
    const [second, twice] = await exported(name, first, [{ dropped: true }, {}]);
    const [, once] = await exported(name, plan.model, [{ dropped: true }, { dropped: true }, {}]);
    for (const value of [twice, await fitnessOf(second, plan)]) expect(Math.abs(value / once - 1)).toBeLessThan(1e-4);
    expect(await blocksOf(first)).toMatchObject({ blocks: [{ place: 1 }, { place: 2 }] });
    expect(await blocksOf(second)).toMatchObject({ blocks: [{ place: 2 }] });
  });
});

describe('nothing half written is left', () => {
  const weightsOf: Readonly<Record<ExportFormat, string>> = {
    huggingface: 'model.safetensors',
    onnx: 'onnx/model.onnx_data',
    gguf: 'model.gguf',
  };

  it('a folder with something in it is not touched', async () => {
    await mkdir(at.folder);
    await writeFile(path.join(at.folder, 'notes.txt'), 'mine');
    const plan = await planOf('llama-1', structure('magnitude'));
    const failure = await failureOf(() => at.engine.exportModel(plan, { folder: at.folder, format: 'huggingface' }));
    expect(failure.code).toBe('export/exists');
    expect(await readdir(at.folder)).toEqual(['notes.txt']);
  });

  it.each(Object.keys(weightsOf) as ExportFormat[])('a weight that reads back differently: %s', async (format) => {
    const wrong = createEngine({
      startFresh: () => ({
        ...createEngine(),
        verify: async (request) => {
          const file = path.join(request.folder, weightsOf[format]);
          const bytes = await readFile(file);
          // Of one number in the middle of the weights: half of its exponent's bits.
          bytes[((bytes.length >> 3) << 2) + 3]! ^= 0x3c;
          await writeFile(file, bytes);
          return createEngine().verify(request);
        },
      }),
    });
    const plan = await planOf('llama-1', structure('magnitude'));
    const failure = await failureOf(() => wrong.exportModel(plan, { folder: at.folder, format }));
    expect(failure.code).toBe('export/mismatch');
    expect(await readdir(path.dirname(at.folder))).toEqual([]);
    await wrong.dispose();
  });

  it.each(['pruning', 'evaluating', 'writing', 'verifying'] as const)('cancelled while %s', async (stage) => {
    const controller = new AbortController();
    const plan = await planOf('llama-1', structure('wanda-sp'));
    const failure = await failureOf(() =>
      at.engine.exportModel(
        plan,
        { folder: at.folder, format: 'onnx' },
        {
          signal: controller.signal,
          onProgress: (progress) => {
            if (progress.stage === stage) controller.abort();
          },
        },
      ),
    );
    expect(failure.code).toBe('cancelled');
    expect(await readdir(path.dirname(at.folder))).toEqual([]);
  });

  it('what the file system refuses has a code', async () => {
    await writeFile(path.join(path.dirname(at.folder), 'file'), '');
    const plan = await planOf('llama-1', structure('magnitude'));
    const below = path.join(path.dirname(at.folder), 'file', 'pruned');
    const failure = await failureOf(() => at.engine.exportModel(plan, { folder: below, format: 'huggingface' }));
    expect(['io/write', 'export/exists']).toContain(failure.code);
    expect(failure.data.file).toBe(below);
  });

  it('a metric that cannot rank fails as its evaluation does', async () => {
    const constant = { metric: 'nothing', expression: parsePrefix('sub(W, W)'), sparsity: half };
    const plan = await planOf('llama-1', constant);
    const failure = await failureOf(() => at.engine.exportModel(plan, { folder: at.folder, format: 'huggingface' }));
    expect(failure.code).toBe('metric/invalid-score');
    expect(await readdir(path.dirname(at.folder))).toEqual([]);
  });
});
