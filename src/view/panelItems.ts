import type { RunEvent } from '../search/kinds.ts';
import { packCandidates } from '../search/metrics/columns.ts';
import type { TimedCandidate } from '../search/metrics/columns.ts';
import type { BlockComponents } from '../experiment/structureSchema.ts';
import type { MeasuredEvent } from '../search/lifecycle/events.ts';
import type { StepEvent } from '../search/masks/events.ts';
import { pictureOf } from '../search/masks/picture.ts';
import { packSteps } from '../search/masks/columns.ts';
import type { PanelEvent, PanelItem } from './panelMessages.ts';

/**
 * A portion of a journal as the panel gets it. Candidates in a row, and steps in a row, become columns; checks before an evaluation are left
 * out, since a candidate says what became of it; of measurements in a row only their sum goes, which the count of evaluations needs; and of
 * keep-probabilities only what there is to see of them. Folding the items gives what folding the records gives.
 *
 * @param components of the blocks, where an earlier portion told them
 */
export function panelItems(
  records: readonly { readonly event: RunEvent; readonly at: number }[],
  components: readonly BlockComponents[] = [],
): PanelItem[] {
  const items: PanelItem[] = [];
  let blocks = components;
  let candidates: TimedCandidate[] = [];
  let steps: StepEvent[] = [];
  let stepsAt = 0;
  let measured: { event: MeasuredEvent; at: number } | undefined;
  const flush = (): void => {
    if (candidates.length > 0) items.push({ candidates: packCandidates(candidates) });
    if (steps.length > 0) items.push({ steps: packSteps(steps), at: stepsAt });
    if (measured) items.push(measured);
    candidates = [];
    steps = [];
    measured = undefined;
  };
  for (const { event, at } of records) {
    if (event.kind === 'probed' || event.kind === 'workers' || event.kind === 'scores') continue;
    if (event.kind === 'candidate' && 'expression' in event) {
      if (measured) flush();
      candidates.push({ ...event, at });
    } else if (event.kind === 'measured' && (event.id < 0 || event.measure.kind === 'loss')) {
      if (candidates.length > 0) flush();
      // Baselines, below zero, are no work that counts.
      if (event.id >= 0) measured = { event: added(measured?.event, event), at };
    } else if (event.kind === 'step') {
      if (steps.length > 0 && event.step !== steps.at(-1)!.step + 1) flush();
      steps.push(event);
      stepsAt = at;
    } else if (event.kind === 'probabilities') {
      flush();
      const picture = pictureOf(event, blocks);
      if (picture) items.push({ picture, at });
    } else {
      flush();
      if (event.kind === 'opened' && 'components' in event) blocks = event.components;
      items.push({ event: withoutTexts(event), at });
    }
  }
  flush();
  return items;
}

/** Prompts and replies are read by whom they interest: see `Exchange`. */
function withoutTexts(event: PanelEvent): PanelEvent {
  if (event.kind === 'llm-asked') return { ...event, prompt: '' };
  if (event.kind === 'llm-replied' && event.reply.kind === 'text')
    return { ...event, reply: { ...event.reply, text: '' } };
  return event;
}

function added(before: MeasuredEvent | undefined, next: MeasuredEvent): MeasuredEvent {
  if (before?.measure.kind !== 'loss' || next.measure.kind !== 'loss') return next;
  const blocks = before.measure.blocks + next.measure.blocks;
  return { ...next, measure: { ...next.measure, blocks }, seconds: before.seconds + next.seconds };
}
