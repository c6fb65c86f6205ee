import { formatShare } from './format.ts';
import { lengthWarning } from './length.ts';
import type { Provenance } from './resultSchema.ts';
import type { EvaluationSettings } from './settings.ts';

/** What a reader of a number has to be told, though it is right: as sentences without their full stop; mostly none. */
export function resultWarnings({
  length,
  calibrationLength,
  modelLength,
}: Pick<Provenance, 'length' | 'calibrationLength' | 'modelLength'>): readonly string[] {
  // Samples that are as long as the blocks are told of with these.
  const ofSamples =
    calibrationLength === undefined ? undefined : lengthWarning(calibrationLength, modelLength, 'calibration samples');
  return [lengthWarning(length, modelLength), ofSamples].filter((warning) => warning !== undefined);
}

/** The same before anything is measured. @param settings with a `length` that is no longer open */
export function settingsWarnings(
  { length, calibrationLength }: Pick<EvaluationSettings, 'length' | 'calibrationLength'>,
  modelLength: number,
): readonly string[] {
  return resultWarnings({ length, modelLength, ...(calibrationLength !== 0 && { calibrationLength }) });
}

/** Less than this is what any checkpoint has. */
const SPARSE = 0.001;

/** ", 30 % of its weights zero already", of a checkpoint that was pruned before, and what else was made of its files; else nothing. */
export function modelText({ modelZeros = 0, modelNotes = [] }: Pick<Provenance, 'modelZeros' | 'modelNotes'>): string {
  const zeros = modelZeros < SPARSE ? [] : [`${formatShare(modelZeros)} of its prunable weights zero already`];
  return [...zeros, ...modelNotes].map((text) => `, ${text}`).join('');
}
