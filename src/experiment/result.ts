import type { Sparsity } from './sparsity.ts';
import type { StructureReport } from './structure.ts';
import type { DeviceName } from './settings.ts';

/** One perplexity and everything that a reader needs to know about where it comes from. */
export interface EvaluationResult {
  readonly metric: string;
  /** Infix spelling; for the dense model `dense`. */
  readonly expression: string;
  /** Undefined for the dense model. */
  readonly sparsity?: Sparsity;
  readonly calibrate: 'sequential' | 'one-shot';
  readonly perplexity: number;
  readonly densePerplexity: number;
  /** Share of prunable weights that are exactly zero after pruning, those that were zero before among them. */
  readonly actualSparsity: number;
  /** What went, where whole components were removed; `actualSparsity` is then the share of the blocks' weights. */
  readonly structure?: StructureReport;
  /** Share of the weights that each block lost, where the blocks were not pruned alike. */
  readonly rates?: readonly number[];
  /** Wall time of this plan's work (gradients, calibration, pruning, evaluation), tokenising and reading the text left out. */
  readonly seconds: number;
  /** Where the gradients come from, of a metric that uses G: `cached` ones were computed by an earlier evaluation. */
  readonly gradients?: 'computed' | 'cached';
  /** sha-256, hex: equal exactly when model, texts, tokens, settings, expression, precision, device, versions and machine are equal. */
  readonly fingerprint: string;
  readonly provenance: Provenance;
}

/** What went into the fingerprint, for reading: "every number carries where it comes from". */
export interface Provenance {
  readonly model: string;
  /** sha-256 over config.json, tokenizer.json, every safetensors file, and the tokens that tokenizer_config.json puts around a text. */
  readonly modelHash: string;
  readonly architecture: string;
  readonly parameters: number;
  /** Share of the prunable weights that are zero in the checkpoint already. Results of before do not say. */
  readonly modelZeros?: number;
  readonly text: string;
  readonly textHash: string;
  readonly textTokens: number;
  readonly blocks: number;
  /** Tokens of a block. */
  readonly length: number;
  /** Tokens of the longest text that the model was made for. Results of before do not say. */
  readonly modelLength?: number;
  readonly calibration?: string;
  readonly calibrationHash?: string;
  readonly samples?: number;
  /** Tokens of a sample, where it has others than an evaluation block. */
  readonly calibrationLength?: number;
  readonly offsets?: 'even' | 'random';
  readonly seed?: number;
  readonly group?: 'row' | 'layer';
  readonly device: DeviceName;
  readonly deviceName: string;
  readonly precision: 'float32' | 'float16';
  readonly versions: Readonly<Record<string, string>>;
  /** What else of the machine decides the last bits: its processor, variables of its environment. Results of before have none. */
  readonly machine?: Readonly<Record<string, string>>;
}

/** Progress of a plan, in units of work that are roughly equally long. */
export interface EvaluationProgress {
  readonly stage:
    | 'reading'
    | 'tokenising'
    | 'device'
    | 'gradients'
    | 'pruning'
    | 'evaluating'
    | 'writing'
    | 'verifying'
    | 'measuring';
  readonly done: number;
  readonly total: number;
  /** Short text for a person: "block 3 of 6". */
  readonly detail: string;
}

/** What a device of this machine can do, as tried out. */
export interface DeviceReport {
  readonly name: DeviceName;
  readonly works: boolean;
  /** Why it does not work, or what was measured. */
  readonly detail: string;
  /** Measured rate of a float32 matrix product of 1024³, where it works. */
  readonly gigaflops?: number;
  /** Whether it computes in float16. */
  readonly float16: boolean;
}

/** What a checkpoint is, for a status bar or a list. */
export interface CheckpointSummary {
  readonly folder: string;
  readonly architecture: string;
  readonly parameters: number;
  readonly prunableParameters: number;
  readonly blocks: number;
  readonly hidden: number;
  readonly vocabulary: number;
  /** Tokens of the longest text that it was made for. */
  readonly modelLength: number;
  /** Element types of the stored tensors. */
  readonly storedAs: readonly string[];
}
