import type { EvaluationSettings } from '../../experiment/settings.ts';

/**
 * How calibration samples are taken: cut out of the rows joined to one text, at even distances or from random begins of our own generator
 * or Python's; or out of documents that Python's generator draws, `distinct` ones none twice.
 */
export type SampleOffsets = EvaluationSettings['offsets'] | 'python' | 'documents' | 'distinct';

export interface SampleSettings {
  readonly samples: number;
  /** Tokens of one. */
  readonly length: number;
  readonly offsets: SampleOffsets;
  readonly seed: number;
}

/** Calibration samples, and where each is from. */
export interface Samples {
  readonly tokens: readonly Int32Array[];
  /** Token of the text, or of the document, that each begins at. */
  readonly begins: readonly number[];
  /** Row of the document that each is of, from 0; of joined rows undefined. */
  readonly documents?: readonly number[];
}

/** Whether samples are of documents, and rows are not joined. */
export function areOfDocuments(offsets: SampleOffsets): offsets is 'documents' | 'distinct' {
  return offsets === 'documents' || offsets === 'distinct';
}
