import { byPerplexity } from '../../tasks/byPerplexity.ts';
import { formatChange, formatPerplexity } from '../../experiment/format.ts';
import { accuracyOf, shortAccuracy } from '../../tasks/taskWords.ts';
import { protocolText } from '../../experiment/deviations.ts';
import { recordKey } from '../../runs/evaluationRecord.ts';
import type { EvaluationRecord } from '../../runs/evaluationRecord.ts';
import type { Freshness } from '../evaluate/annotations.ts';
import { removedText } from '../evaluate/structureText.ts';

/** How far a kept evaluation still says what evaluating it now would say. */
export type Standing = 'current' | 'unchecked' | 'stale' | 'superseded';

/** A kept evaluation as the view lists it. */
export interface EvaluationRow {
  readonly record: EvaluationRecord;
  readonly standing: Standing;
  /** Behind the name: perplexity, change against dense, accuracy, what was removed, and its standing where that is not current. */
  readonly description: string;
  /** Why it is not current; undefined where it is. */
  readonly note: string | undefined;
}

export interface RowContext {
  readonly freshness: (record: EvaluationRecord) => Freshness;
  /** Keys of what the document would evaluate now; undefined while that is not known (it is not open). */
  readonly asked: ReadonlySet<string> | undefined;
}

const ORDER: Readonly<Record<Standing, number>> = { current: 0, unchecked: 0, stale: 1, superseded: 2 };
const WORDS: Readonly<Record<Standing, string>> = {
  current: '',
  unchecked: 'not checked',
  stale: 'stale',
  superseded: 'evaluated again since',
};

/**
 * Evaluations of one document: those that count first, by how much was removed and then the best first.
 *
 * @param records oldest first
 */
export function evaluationRows(records: readonly EvaluationRecord[], context: RowContext): readonly EvaluationRow[] {
  const newest = new Map(records.map((record) => [identityOf(record), record]));
  return records
    .map((record): EvaluationRow => {
      const isNewest = newest.get(identityOf(record)) === record;
      const [standing, note] = isNewest ? standingOf(record, context) : (['superseded', undefined] as const);
      const { perplexity, densePerplexity, sparsity, tasks, provenance } = record.result;
      const accuracy = accuracyOf(tasks);
      const { protocol, deviations = [] } = provenance;
      const parts = [
        ...(perplexity === undefined ? [] : [formatPerplexity(perplexity)]),
        ...(sparsity === undefined
          ? ['dense']
          : perplexity === undefined
            ? []
            : [formatChange(perplexity, densePerplexity)]),
        ...(accuracy ? [shortAccuracy(accuracy)] : []),
        ...(sparsity === undefined ? [] : [removedText(record.result)]),
        ...(protocol === undefined ? [] : [protocolText(protocol, deviations)]),
        ...(WORDS[standing] === '' ? [] : [WORDS[standing]]),
      ];
      return { record, standing, note, description: parts.join(' · ') };
    })
    .sort(compare);
}

/** The same question about the same metric. */
function identityOf(record: EvaluationRecord): string {
  return `${record.result.metric} ${recordKey(record)}`;
}

function standingOf(record: EvaluationRecord, { freshness, asked }: RowContext): [Standing, string | undefined] {
  const inputs = freshness(record);
  if (inputs === 'changed') return ['stale', 'the checkpoint or a text has changed since.'];
  if (asked?.has(recordKey(record)) === false) return ['stale', 'the file asks for something else by now.'];
  return inputs === 'unknown' ? ['unchecked', undefined] : ['current', undefined];
}

function compare(a: EvaluationRow, b: EvaluationRow): number {
  return (
    ORDER[a.standing] - ORDER[b.standing] ||
    a.record.result.actualSparsity - b.record.result.actualSparsity ||
    compareText(removedText(a.record.result), removedText(b.record.result)) ||
    byPerplexity(a.record.result, b.record.result) ||
    -compareText(a.record.savedAt, b.record.savedAt)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
