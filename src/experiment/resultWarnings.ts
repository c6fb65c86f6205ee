import { formatPerplexity, formatShare } from './format.ts';
import { lengthWarning } from './length.ts';
import type { RecoveryReport } from './recoverySchema.ts';
import type { EvaluationResult, Provenance } from './resultSchema.ts';
import type { EvaluationSettings } from './settings.ts';
import type { UpdateReport } from './updateSchema.ts';

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

/** The same of a result as a whole. */
export function warningsOf({
  provenance,
  unseenExperts = [],
  update,
  recovery,
  perplexity,
}: Pick<EvaluationResult, 'provenance' | 'unseenExperts' | 'update' | 'recovery' | 'perplexity'>): readonly string[] {
  return [
    ...resultWarnings(provenance),
    ...(unseenExperts.length > 0 ? [unseenText(unseenExperts)] : []),
    ...(update?.damped ? [dampedText(update.damped, update.update.damping)] : []),
    ...(update?.layers === 0 ? [NOTHING_REFITTED] : []),
    ...(recovery ? recoveryWarnings(recovery, perplexity) : []),
  ];
}

/** Of a recovery that did not do what it is for. @param perplexity of what is kept, on the text of the result */
export function recoveryWarnings(
  { reason, detail, kept, heldOut, before }: RecoveryReport,
  perplexity: number | undefined,
): readonly string[] {
  const tooFast = reason === 'diverged' || reason === 'not-finite';
  const ended = tooFast ? [`training was stopped, because ${detail}; lower the learning rate, or let it rise`] : [];
  if (kept === 0) {
    const nothing = 'nothing was recovered: no step did better on the held-out text than the model before';
    return [...ended, tooFast ? nothing : `${nothing}; train longer, with another rate or on another text`];
  }
  if (perplexity === undefined || perplexity <= before) return ended;
  const [from, to] = [heldOut.before, heldOut.after].map((each) => (each === null ? '–' : formatPerplexity(each)));
  const worse = `the recovery made this text worse, ${formatPerplexity(before)} before and ${formatPerplexity(perplexity)} after`;
  return [
    ...ended,
    `${worse}, though the held-out text went from ${from} to ${to}: train on a text that is more like this one, for fewer steps or with a lower rate`,
  ];
}

const NOTHING_REFITTED =
  'nothing was refitted: no output projection lost a part of its columns, so the number is that of the mask alone';

function dampedText({ layers, damping }: NonNullable<UpdateReport['damped']>, asked: number): string {
  const of = layers === 1 ? 'H of 1 layer' : `H of ${layers} layers`;
  return `${of} could not be inverted with a damping of ${asked}, and got up to ${Number(damping.toPrecision(6))}; take more or longer samples`;
}

/** Experts that are named; of more than these the others are counted. */
const NAMED = 8;

function unseenText(experts: readonly string[]): string {
  const more = experts.length > NAMED ? ` and ${experts.length - NAMED} more` : '';
  const [they, are] = experts.length === 1 ? ['it', 'is'] : ['they', 'are'];
  return `no calibration token went through ${experts.slice(0, NAMED).join(', ')}${more}: ${they} could not be ranked and ${are} left as ${they} ${are === 'is' ? 'was' : 'were'}; take more samples`;
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
