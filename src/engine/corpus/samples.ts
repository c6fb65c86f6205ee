import type { SampleSettings } from '../../experiment/settings.ts';

export type SampleOffsets = SampleSettings['offsets'];

/** Calibration samples, and where each is from. */
export interface Samples {
  readonly tokens: readonly Int32Array[];
  /** Token of the text, or of the document, that each begins at. */
  readonly begins: readonly number[];
  /** Row of the document that each is of, from 0; of joined rows undefined. */
  readonly documents?: readonly number[];
}

/** Whether samples are of documents, and rows are not joined. */
export function areOfDocuments(offsets: SampleOffsets): offsets is 'documents' | 'documents-once' {
  return offsets === 'documents' || offsets === 'documents-once';
}
