import type { TaskMean, TaskResult } from '../experiment/taskSchema.ts';
import type { PlannedTask } from '../experiment/taskSchema.ts';
import { TASKS } from '../experiment/tasks.ts';
import { meanOf, pooledError } from './means.ts';
import { pairedOf } from './paired.ts';
import type { Paired } from './paired.ts';
import type { AskedDocument } from './requests.ts';
import { taskOf } from './taskOf.ts';

/** What a document's choices were found to be: the one that is taken, by likelihood and by likelihood per character. */
export interface Judged {
  readonly predicted: number;
  readonly predictedNorm: number;
}

/**
 * Judges a document (`api/task.py`, process_results): the likeliest choice is taken, the first of equals; likewise by sum per character.
 *
 * @param logLikelihoods sums over each choice's tokens, in order
 * @throws RangeError for a likelihood that is no number, which would be counted as a wrong answer
 */
export function judge({ requests, lengths }: AskedDocument, logLikelihoods: readonly number[]): Judged {
  if (logLikelihoods.length !== requests.length) throw new RangeError(`${logLikelihoods.length} of ${requests.length}`);
  if (logLikelihoods.some(Number.isNaN)) throw new RangeError('a likelihood that is no number');
  return {
    predicted: largest(logLikelihoods),
    predictedNorm: largest(logLikelihoods.map((sum, choice) => sum / lengths[choice]!)),
  };
}

function largest(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}

/** Means of a task by the harness's names. */
export type TaskMeans = TaskResult['means'];
type MeanName = keyof TaskMeans;

/** Which documents a model has right, by metric: of the same documents two can be compared. */
export type Rights = Readonly<Partial<Record<MeanName, readonly boolean[]>>>;

/** What of a task is right: acc, and acc_norm where the harness lists it. */
export function rightsOf(planned: PlannedTask, asked: readonly AskedDocument[], judged: readonly Judged[]): Rights {
  const { known } = taskOf(planned);
  const hasNorm = known === undefined || TASKS[known].metrics.some((metric) => metric === 'acc_norm');
  return {
    acc: asked.map(({ gold }, i) => judged[i]!.predicted === gold),
    ...(hasNorm && { acc_norm: asked.map(({ gold }, i) => judged[i]!.predictedNorm === gold) }),
  };
}

export function meansOf(rights: Rights): TaskMeans {
  return mapped(rights, meanOf);
}

/** How a pruned model differs from the dense one, metric by metric. */
export function pairedRights(dense: Rights, pruned: Rights): Readonly<Partial<Record<MeanName, Paired>>> {
  return mapped(pruned, (rights, name) => pairedOf(dense[name] ?? [], rights));
}

/** The group `mmlu` as the harness reports it: each subject, in the order in which they are first asked, and the mean with the pooled error. */
export function groupOf(
  asked: readonly AskedDocument[],
  rights: Rights,
): Pick<TaskResult, 'means'> & { readonly parts: NonNullable<TaskResult['parts']> } {
  const subjects = new Map<string, number[]>();
  for (const [i, { subject = '' }] of asked.entries()) {
    const places = subjects.get(subject);
    if (places) places.push(i);
    else subjects.set(subject, [i]);
  }
  const parts = [...subjects].map(([subject, places]) => ({
    task: `mmlu_${subject}`,
    documents: places.length,
    means: meansOf(mapped(rights, (all) => places.map((i) => all[i]!))),
  }));
  const means = mapped(rights, (all, name): TaskMean => {
    const { value, error } = meanOf(all);
    const pooled = pooledError(parts.map(({ documents, means: part }) => ({ documents, mean: part[name]! })));
    return { value, error: pooled ?? error };
  });
  return { means, parts };
}

function mapped<To>(
  rights: Rights,
  to: (rights: readonly boolean[], name: MeanName) => To,
): Partial<Record<MeanName, To>> {
  const entries = Object.entries(rights) as [MeanName, readonly boolean[]][];
  return Object.fromEntries(entries.map(([name, each]) => [name, to(each, name)]));
}
