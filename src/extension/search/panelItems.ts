import { packCandidates } from '../../experiment/candidateColumns.ts';
import type { TimedCandidate } from '../../experiment/candidateColumns.ts';
import { isMetricEvent } from '../../experiment/runPlan.ts';
import type { MeasuredEvent } from '../../experiment/searchEvents.ts';
import type { JournalRecord } from '../../runs/journalLine.ts';
import type { PanelItem } from './panelMessages.ts';

/**
 * A portion of a journal as the panel gets it. Candidates in a row become columns; checks before an evaluation are left out, since
 * a candidate says what became of it; and of measurements in a row only their sum goes, which the count of evaluations needs.
 * Folding the items gives what folding the records gives.
 */
export function panelItems(records: readonly JournalRecord[]): PanelItem[] {
  const items: PanelItem[] = [];
  let candidates: TimedCandidate[] = [];
  let measured: { event: MeasuredEvent; at: number } | undefined;
  const flush = (): void => {
    if (candidates.length > 0) items.push({ candidates: packCandidates(candidates) });
    if (measured) items.push(measured);
    candidates = [];
    measured = undefined;
  };
  for (const { event, at } of records) {
    if (event.kind === 'probed') continue;
    if (event.kind === 'candidate') {
      if (measured) flush();
      candidates.push({ ...event, at });
    } else if (event.kind === 'measured') {
      if (candidates.length > 0) flush();
      // Baselines, below zero, and measurements that failed are no work that counts.
      if (event.id >= 0 && event.measure.kind === 'loss') measured = { event: added(measured?.event, event), at };
    } else if (isMetricEvent(event)) {
      flush();
      items.push({ event, at });
    }
  }
  flush();
  return items;
}

function added(before: MeasuredEvent | undefined, next: MeasuredEvent): MeasuredEvent {
  if (before?.measure.kind !== 'loss' || next.measure.kind !== 'loss') return next;
  const blocks = before.measure.blocks + next.measure.blocks;
  return { ...next, measure: { ...next.measure, blocks }, seconds: before.seconds + next.seconds };
}
