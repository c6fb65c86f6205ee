import type { AskedDocument } from '../../tasks/requests.ts';
import type { OpenedTask, OpenedTasks } from '../scoring/openTasks.ts';
import type { Sequence } from '../scoring/sequence.ts';
import { blockOrder } from './blockOrder.ts';

/** A document whose answer is part of a search's fitness. */
export interface FitnessDocument {
  readonly asked: AskedDocument;
  /** One for each choice. */
  readonly sequences: readonly Sequence[];
  /** What it counts beside others: 1 in the mean over all documents, and each task's weigh the same together. */
  readonly weight: number;
}

/**
 * The documents of tasks in the order in which a search's rungs visit them. Of each task they come as `blockOrder` spreads them over it; the
 * tasks go side by side, each as far as the others, so that any few documents in a row are of all tasks by their sizes.
 */
export function fitnessDocuments(opened: Pick<OpenedTasks, 'tasks' | 'sequences'>): readonly FitnessDocument[] {
  const count = opened.tasks.reduce((sum, { asked }) => sum + asked.length, 0);
  const placed = opened.tasks.flatMap((task, index) => {
    const weight = count / (opened.tasks.length * task.asked.length);
    const places = sequencesOf(task);
    return blockOrder(task.asked.length).map((document, place) => ({
      at: (place + 0.5) / task.asked.length,
      index,
      document: {
        asked: task.asked[document]!,
        sequences: opened.sequences.slice(places[document], places[document + 1]),
        weight,
      },
    }));
  });
  return placed.sort((a, b) => a.at - b.at || a.index - b.index).map(({ document }) => document);
}

/** Where the sequences of each document begin; behind the last, where they end. */
function sequencesOf({ first, lengths }: OpenedTask): readonly number[] {
  const places = [first];
  for (const { length } of lengths) places.push(places.at(-1)! + length);
  return places;
}
