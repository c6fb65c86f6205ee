import {
  DEFAULT_SEARCH_OPERANDS,
  DEFAULT_SEARCH_OPERATIONS,
  type MetricSearchPlan,
} from '../../src/search/metrics/plan.ts';
import { HISTOGRAM_BINS } from '../../src/experiment/inspectionSchema.ts';
import type { Generated, Served } from '../../src/experiment/generationSchema.ts';
import type { MetricInspection } from '../../src/experiment/inspectionSchema.ts';
import type { Preflight } from '../../src/experiment/preflightSchema.ts';
import type { ModelCosts } from '../../src/experiment/costSchema.ts';
import type { ExportReport } from '../../src/experiment/exportSchema.ts';
import type { TextPlan } from '../../src/experiment/planSchema.ts';
import type { CheckpointSummary, PerplexityResult } from '../../src/experiment/resultSchema.ts';
import { DEFAULT_LLM_SETTINGS } from '../../src/search/llm/settings.ts';
import type { MaskSearchPlan } from '../../src/search/masks/plan.ts';
import type { SelfPrunerPlan } from '../../src/search/rates/selfPruner/plan.ts';
import { DEFAULT_ROWS } from '../../src/experiment/corpusRows.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import type { WorkClass } from '../../src/experiment/workClass.ts';
import type { RequestHandlers } from '../../src/protocol/server.ts';
import type { SearchOpening, ComponentsOpening } from '../../src/search/lifecycle/events.ts';
import { DEFAULT_MASK_SEARCH_SETTINGS } from '../../src/search/masks/settings.ts';
import { DEFAULT_METRIC_SEARCH_SETTINGS } from '../../src/search/metrics/settings.ts';
import { DEFAULT_SELF_PRUNER_SETTINGS } from '../../src/search/rates/selfPruner/settings.ts';

export function samplePlan(changes: Partial<TextPlan> = {}): TextPlan {
  return {
    model: '/models/tiny',
    text: '/data/test.txt',
    calibration: '/data/valid.txt',
    evaluations: [
      {
        metric: 'wanda',
        expression: {
          kind: 'operation',
          operation: 'mul',
          arguments: [
            { kind: 'operand', name: 'W' },
            { kind: 'operation', operation: 'sqrt', arguments: [{ kind: 'operand', name: 'X' }] },
          ],
        },
        sparsity: { kind: 'unstructured', share: 0.5 },
      },
    ],
    settings: DEFAULT_SETTINGS,
    ...changes,
  };
}

export function sampleResult(changes: Partial<PerplexityResult> = {}): PerplexityResult {
  return {
    metric: 'wanda',
    expression: 'W * sqrt(X)',
    sparsity: { kind: 'unstructured', share: 0.5 },
    calibrate: 'sequential',
    perplexity: 145.7123,
    densePerplexity: 143.3045,
    actualSparsity: 0.5,
    seconds: 2.13,
    fingerprint: 'f'.repeat(64),
    provenance: {
      model: '/models/tiny',
      modelHash: 'a'.repeat(64),
      architecture: 'LlamaForCausalLM',
      parameters: 6_450_000,
      text: '/data/test.txt',
      textHash: 'b'.repeat(64),
      textTokens: 330_000,
      blocks: 64,
      length: 256,
      calibration: '/data/valid.txt',
      calibrationHash: 'c'.repeat(64),
      samples: 16,
      offsets: 'even',
      seed: 0,
      group: 'row',
      device: 'cpu',
      deviceName: 'CPU, 2 threads',
      precision: 'float32',
      versions: { espalier: '0.1.0', onnxruntime: '1.30.0' },
    },
    ...changes,
  };
}

/** A result under a protocol with a deviation, and all that goes with it: rows, samples for gradients, words and bytes. */
export function resultUnderProtocol(changes: Partial<PerplexityResult['provenance']> = {}): PerplexityResult {
  const result = sampleResult({ gradients: 'computed', expression: 'W * sqrt(X)' });
  return {
    ...result,
    provenance: {
      ...result.provenance,
      ...{ protocol: 'pruner-zero', deviations: ['length 256'], textWords: 245_000, textBytes: 1_290_000 },
      ...{ gradients: '/data/train.txt', gradientsHash: 'd'.repeat(64), gradientSamples: 1, gradientLength: 2048 },
      ...{ gradientOffsets: 'python', offsets: 'documents' },
      rows: { text: { ...DEFAULT_ROWS, rows: 'wikitext' }, gradients: { ...DEFAULT_ROWS, join: 'space' } },
      ...changes,
    },
  };
}

export function sampleSummary(folder: string): CheckpointSummary {
  return {
    folder,
    architecture: 'LlamaForCausalLM',
    parameters: 6_450_000,
    prunableParameters: 5_400_000,
    blocks: 6,
    layers: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
    hidden: 256,
    vocabulary: 4096,
    modelLength: 256,
    storedAs: ['BF16'],
  };
}

export function sampleOpening(changes: Partial<SearchOpening> = {}): SearchOpening {
  return {
    blocks: 2,
    denseLosses: [4.5, 4.7],
    densePerplexity: Math.exp(4.6),
    fingerprint: 'a'.repeat(64),
    device: 'cpu, 2 threads',
    parameters: 1000,
    architecture: 'LlamaForCausalLM',
    ...changes,
  };
}

/** Of the metric `W` alone. */
export function sampleInspection(changes: Partial<MetricInspection> = {}): MetricInspection {
  const histogram = Array.from({ length: HISTOGRAM_BINS }, (_, bin) => bin);
  return {
    tensor: 'model.layers.0.self_attn.q_proj.weight',
    shape: [256, 256],
    tensors: ['model.layers.0.self_attn.q_proj.weight', 'model.layers.0.self_attn.k_proj.weight'],
    nodes: [{ path: [], shape: [256, 256], minimum: 0, maximum: 1, mean: 0.25, nonFinite: 0, histogram }],
    ...changes,
  };
}

export function samplePreflight(changes: Partial<Preflight> = {}): Preflight {
  return {
    ...{ deviceName: 'cpu, 2 threads', models: 2, blocks: 4, length: 256, gradients: 'to compute', steps: 40 },
    ...{ flops: 1e12, gigaflops: 250, seconds: 6.7, warnings: [], problems: [], free: { memory: 8e9, disk: 1e11 } },
    costs: [{ name: 'weights', kind: 'memory', bytes: 26e6 }],
    ...changes,
  };
}

export function sampleSearchPlan(changes: Partial<MetricSearchPlan> = {}): MetricSearchPlan {
  const { model, text, settings } = samplePlan();
  return {
    kind: 'metrics',
    name: 'evolved',
    model,
    text,
    calibration: '/data/valid.txt',
    sparsity: { kind: 'unstructured', share: 0.6 },
    operations: DEFAULT_SEARCH_OPERATIONS,
    operands: DEFAULT_SEARCH_OPERANDS,
    seeds: [],
    baselines: [],
    settings,
    search: DEFAULT_METRIC_SEARCH_SETTINGS,
    ...changes,
  };
}

export function sampleRatePlan(changes: Partial<SelfPrunerPlan> = {}): SelfPrunerPlan {
  return {
    kind: 'rates',
    name: 'rates',
    model: '/models/tiny',
    text: '/data/test.txt',
    calibration: '/data/valid.txt',
    sparsity: { kind: 'unstructured', share: 0.3 },
    target: { kind: 'structure', name: 'wanda-sp', score: { kind: 'method', method: 'wanda-sp' } },
    baselines: [{ name: 'uniform', rates: { kind: 'uniform' } }],
    settings: DEFAULT_SETTINGS,
    search: DEFAULT_SELF_PRUNER_SETTINGS,
    llm: DEFAULT_LLM_SETTINGS,
    prompts: { initialise: 'i', mutate: 'm', cross: 'c', again: 'a' },
    ...changes,
  };
}

export function sampleMaskPlan(changes: Partial<MaskSearchPlan> = {}): MaskSearchPlan {
  return {
    kind: 'masks',
    name: 'masks',
    model: '/models/tiny',
    calibration: '/data/valid.txt',
    text: '/data/test.txt',
    sparsity: { kind: 'unstructured', share: 0.3 },
    score: { kind: 'method', method: 'wanda-sp' },
    baselines: [],
    settings: DEFAULT_SETTINGS,
    search: DEFAULT_MASK_SEARCH_SETTINGS,
    ...changes,
  };
}

export function sampleStructureOpening(changes: Partial<ComponentsOpening> = {}): ComponentsOpening {
  return {
    ...sampleOpening(),
    components: [{ groups: 4, channels: 8, groupWeights: 64, channelWeights: 48 }],
    calibrationTokens: 4096,
    ...changes,
  };
}

/** Handlers of a worker that is asked nothing about structure or recovery, and nothing about what leaves Espalier. */
export function sampleServed(): Served {
  return {
    ...{ served: 1, name: 'dense', model: '/models/tiny', fingerprint: 'a'.repeat(64), parameters: 1000 },
    ...{ vocabulary: 64, length: 256, ends: [2], streams: false, cacheBytes: 128 },
  };
}

export function sampleClass(): WorkClass {
  return { espalier: '1', onnxruntime: '1', device: 'cpu', deviceName: 'a processor', precision: 'float32' };
}

export function sampleGenerated(): Generated {
  return {
    answers: [{ text: ' a', ids: [7], end: 'most', promptTokens: 3 }],
    prefill: { tokens: 3, seconds: 0.1 },
    decode: { tokens: 0, seconds: 0 },
    cacheBytes: 8192,
  };
}

/** Two blocks of one kind: 2 groups of 10 parameters, 4 channels of 5, 1 of norms each; 100 outside. Of bfloat16. */
export function sampleCosts(): ModelCosts {
  const size = (parameters: number) => ({ parameters, bytes: 2 * parameters });
  const rest = { none: size(0), attention: size(1), mlp: size(1), both: size(2) };
  const sizes = { group: size(10), channel: size(5), expert: size(0), rest };
  const block = { kind: 0, groups: 2, channels: 4 };
  return { kinds: [{ plain: sizes, compensated: sizes }], blocks: [block, block], outside: size(100) };
}

export function idleStructureHandlers(): Pick<
  RequestHandlers,
  | 'componentScores'
  | 'workClass'
  | 'train'
  | 'validate'
  | 'recovered'
  | 'saveRecovery'
  | 'exportModel'
  | 'measureSpeed'
  | 'costs'
  | 'readers'
  | 'verify'
  | 'openSpeed'
  | 'speedRound'
  | 'openServed'
  | 'generate'
  | 'closeServed'
  | 'firstDocuments'
> {
  return {
    componentScores: () => Promise.resolve({ groups: '', channels: '' }),
    firstDocuments: () => Promise.resolve({ documents: [] }),
    workClass: () => Promise.resolve(sampleClass()),
    train: () => Promise.resolve({ losses: [], state: null, seconds: 0 }),
    validate: () => Promise.resolve({ loss: 3, seconds: 0 }),
    recovered: ({ before }) => Promise.resolve(before),
    saveRecovery: ({ to, as }) => Promise.resolve({ folder: to, as, bytes: 0 }),
    exportModel: () => Promise.resolve(sampleExportReport()),
    readers: () => Promise.resolve({ verdicts: [], exact: true }),
    measureSpeed: () => Promise.resolve([]),
    costs: () => Promise.resolve(sampleCosts()),
    verify: () => Promise.resolve(sampleExportReport().verification),
    openSpeed: () => Promise.resolve({ parameters: 1000, bytes: 4000, modelLength: 256 }),
    speedRound: () =>
      Promise.resolve({ seconds: 0.5, decode: { seconds: 0.1, tokens: 16, batch: 1 }, peakMemory: 100e6 }),
    openServed: () => Promise.resolve(sampleServed()),
    generate: (asked, { onToken }) => {
      const answer = sampleGenerated();
      for (const [prompt, { ids }] of answer.answers.entries())
        onToken({ prompt, id: ids[0]!, text: asked.stops?.[0] ?? 'a' });
      return Promise.resolve(answer);
    },
    closeServed: () => Promise.resolve({}),
  };
}

export function sampleExportReport(): ExportReport {
  return {
    folder: '/models/tiny-pruned',
    format: 'huggingface',
    result: sampleResult(),
    parameters: { dense: 6_450_000, exported: 6_450_000 },
    bytes: 12_900_000,
    plain: true,
    leftOut: [],
    readers: [],
    verification: { tokens: 256, rows: 128, difference: 1e-6, largest: 20 },
  };
}
