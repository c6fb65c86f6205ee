import type { EvaluationResult } from './result.ts';
import type { EvaluationSettings } from './settings.ts';

/** What a pruned model can be written as. */
export const EXPORT_FORMATS = ['huggingface', 'onnx'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportTarget {
  /** Absolute; made by the export, or empty. */
  readonly folder: string;
  readonly format: ExportFormat;
}

/** A model that was written, read back in another process and found to compute the same. */
export interface ExportReport extends ExportTarget {
  /** The evaluation that was exported: what was removed, and what that did. */
  readonly result: EvaluationResult;
  /** Of the whole model. */
  readonly parameters: { readonly dense: number; readonly exported: number };
  /** Bytes of the folder's files. */
  readonly bytes: number;
  /** Whether config.json is one that any program for the family reads; otherwise sizes stand under a key of Espalier's. */
  readonly plain: boolean;
  /** Files beside the weights that were not taken along: links that lead out of the checkpoint. */
  readonly leftOut: readonly string[];
  readonly verification: Verification;
}

/** Logits of the exported model beside those of the model in memory, on the first tokens of the evaluation text. */
export interface Verification {
  /** Sequence length, and how many of its last tokens were compared. */
  readonly tokens: number;
  readonly rows: number;
  /** Largest difference and largest absolute value among the logits. */
  readonly difference: number;
  readonly largest: number;
}

/** Asks a process that knows nothing of an export to compute the logits of what lies in its folder. */
export interface VerifyRequest extends ExportTarget {
  readonly tokens: readonly number[];
  /** How many of the last tokens' logits stand in the file. */
  readonly rows: number;
  /** Logits to compare with: float32, row after row. */
  readonly reference: string;
  readonly settings: Pick<EvaluationSettings, 'device' | 'precision' | 'threads'>;
}

/** What the speed of a checkpoint is measured with. */
export interface SpeedRequest {
  /** Checkpoint folder, absolute. */
  readonly model: string;
  /** Sequences that go through the model at once, and tokens of each. */
  readonly batch: number;
  readonly length: number;
  readonly settings: Pick<EvaluationSettings, 'device' | 'precision' | 'threads'>;
}

/** A checkpoint that is loaded to be measured. */
export interface SpeedSubject {
  readonly parameters: number;
  /** Bytes of its weights on the disk. */
  readonly bytes: number;
  /** Tokens of the longest text that it was made for. */
  readonly modelLength: number;
}

/** One forward pass. */
export interface SpeedRound {
  readonly seconds: number;
  /** Most bytes that the process has held so far. */
  readonly peakMemory: number;
}

/** What the speeds of several checkpoints are compared on. */
export interface SpeedPlan extends Omit<SpeedRequest, 'model'> {
  /** The first is what the others are compared with. */
  readonly models: readonly string[];
  /** Tokens of each sequence; 0 takes what all of the models were made for, at most 2048. */
  readonly length: number;
  /** Measured passes of each, one checkpoint after the other in every round, after one that is not counted. */
  readonly rounds: number;
}

export interface SpeedReport extends SpeedSubject {
  readonly model: string;
  /** Tokens of each sequence. */
  readonly length: number;
  /** Prefill: all tokens of the batch through the blocks, the head for the last token of each sequence. There is no key-value cache. */
  readonly tokensPerSecond: Spread;
  /** Most bytes that a process held which did nothing else. */
  readonly peakMemory: number;
  /** Median of the ratios to the first checkpoint, round by round. */
  readonly speedUp: number;
}

/** Median, lowest and highest of the rounds. */
export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

/** An engine in a process of its own, which ends with `dispose`. */
export interface FreshEngine {
  verify(request: VerifyRequest, signal?: AbortSignal): Promise<Verification>;
  openSpeed(request: SpeedRequest, signal?: AbortSignal): Promise<SpeedSubject>;
  speedRound(signal?: AbortSignal): Promise<SpeedRound>;
  dispose(): Promise<void>;
}
