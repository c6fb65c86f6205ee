import { EspalierError } from '../../base/errors.ts';
import type { Sequences, Timed } from '../../experiment/measuringSchema.ts';
import type { PlannedTasks } from '../../experiment/taskSchema.ts';
import type { MeasuredLoss, MeasureOutcome } from '../../search/lifecycle/events.ts';
import { choiceLoss } from '../../tasks/choiceLoss.ts';
import { judge } from '../../tasks/judge.ts';
import { taskOf } from '../../tasks/taskOf.ts';
import type { SweepInputs, SweepOutcome, Variant } from '../evaluation/sweepInputs.ts';
import type { Step, StepHooks } from '../forward/step.ts';
import { openTasks, type TaskPlaces } from '../scoring/openTasks.ts';
import { disposePacked, packAll, type PackedSequences } from '../scoring/packedSequences.ts';
import { countBatches, type Scores } from '../scoring/scoredStream.ts';
import { scorePacked } from '../scoring/scoreSequences.ts';
import { fitnessDocuments, type FitnessDocument } from './fitnessDocuments.ts';
import { measureVariants } from './measureVariants.ts';
import { type DenseTasks, sessionError } from './opening.ts';

/** What of a search's inputs packs documents. */
type PackingInputs = Pick<SweepInputs, 'checkpoint' | 'device'>;

/** Sets of documents that are kept packed: the rungs of a search for metrics, and all of them. */
const KEPT = 8;

/**
 * The fitness of a search by its tasks: the mean over the tasks of the mean over each one's documents of {@link choiceLoss}. A measurement is of
 * some of the documents, each weighted such that the mean over all of them is that fitness.
 */
export class TaskFitness {
  readonly count: number;
  private readonly documents: readonly FitnessDocument[];
  private readonly fingerprints: readonly string[];
  private readonly cacheFolder: string | undefined;
  /** By the documents' places; the last used last. */
  private readonly packed = new Map<string, PackedSequences>();

  private constructor(
    documents: readonly FitnessDocument[],
    fingerprints: readonly string[],
    cacheFolder: string | undefined,
  ) {
    this.documents = documents;
    this.count = documents.length;
    this.fingerprints = fingerprints;
    this.cacheFolder = cacheFolder;
  }

  /** @throws EspalierError `settings/invalid` without tasks, or for one whose answers are generated; as {@link openTasks} */
  static async open(
    planned: PlannedTasks | undefined,
    inputs: PackingInputs,
    hooks: StepHooks,
    places: TaskPlaces,
  ): Promise<TaskFitness> {
    const opened = await openTasks(withChoices(planned), inputs, hooks, places);
    const fingerprints = opened.tasks.map(({ fingerprint }) => fingerprint);
    return new TaskFitness(fitnessDocuments(opened), fingerprints, places.cacheFolder);
  }

  /** Steps of {@link dense}. */
  async denseSteps(inputs: SweepInputs): Promise<number> {
    return (inputs.weights.layouts.length + 1) * countBatches(await this.pack(this.all, inputs));
  }

  /** Asks the dense model all documents. @throws EspalierError `evaluation/not-finite` */
  async dense(inputs: SweepInputs, step: Step): Promise<DenseTasks> {
    const scores = await scorePacked(inputs, await this.pack(this.all, inputs), step);
    const losses = this.lossesOf(this.all, scores);
    if (!losses.every(Number.isFinite)) throw notFinite();
    const { loss, right } = this.outcomeOf(this.all, scores);
    return { losses, loss, accuracy: Math.min(1, right! / this.count), fingerprints: this.fingerprints };
  }

  /**
   * As {@link measureVariants}, by some of the documents.
   *
   * @throws EspalierError for everything that is not a candidate's fault
   */
  async measure<Candidate>(
    on: Sequences,
    inputs: SweepInputs,
    candidates: readonly Candidate[],
    make: (candidate: Candidate) => Variant,
    hooks: Pick<StepHooks, 'signal'>,
  ): Promise<Timed<MeasureOutcome>[]> {
    const places = this.placesOf(on);
    const asking = { ...inputs, evaluation: [], asked: await this.pack(places, inputs) };
    const read = ({ tasks }: SweepOutcome): MeasuredLoss => this.outcomeOf(places, tasks!.scores);
    return measureVariants(asking, candidates, make, hooks, read);
  }

  dispose(): void {
    for (const each of this.packed.values()) disposePacked(each);
    this.packed.clear();
  }

  private get all(): readonly number[] {
    return [...this.documents.keys()];
  }

  private placesOf(on: Sequences): readonly number[] {
    if (on.kind === 'samples') throw sessionError('documents of the tasks', 'samples of a text');
    const places =
      on.kind === 'blocks'
        ? Array.from({ length: Math.max(0, on.end - on.begin) }, (_, i) => on.begin + i)
        : on.documents;
    const isRight = places.length > 0 && places.every((place) => place >= 0 && place < this.count);
    if (isRight) return places;
    throw sessionError(`some of ${this.count} documents`, places.length === 0 ? 'none' : `those from ${places[0]} on`);
  }

  private async pack(places: readonly number[], { checkpoint, device }: PackingInputs): Promise<PackedSequences> {
    const key = places.join(' ');
    const known = this.packed.get(key);
    this.packed.delete(key);
    const sequences = places.flatMap((place) => this.documents[place]!.sequences);
    const packed = known ?? (await packAll(checkpoint.config, device, sequences, this.cacheFolder));
    this.packed.set(key, packed);
    for (const [oldest, each] of this.packed) {
      if (this.packed.size <= KEPT) break;
      disposePacked(each);
      this.packed.delete(oldest);
    }
    return packed;
  }

  private outcomeOf(places: readonly number[], scores: Scores): MeasuredLoss {
    const losses = this.lossesOf(places, scores);
    let right = 0;
    for (const [i, logLikelihoods] of this.answersOf(places, scores).entries()) {
      const { asked, weight } = this.documents[places[i]!]!;
      if (judge(asked, logLikelihoods).predicted === asked.gold) right += weight;
    }
    const total = losses.reduce((sum, loss) => sum + loss, 0);
    return { kind: 'loss', blocks: places.length, loss: total / places.length, right };
  }

  /** Weighted. */
  private lossesOf(places: readonly number[], scores: Scores): readonly number[] {
    return this.answersOf(places, scores).map((logLikelihoods, i) => {
      const { asked, weight } = this.documents[places[i]!]!;
      return weight * choiceLoss(logLikelihoods, asked.gold);
    });
  }

  /** Log-likelihoods of each document's choices. */
  private answersOf(places: readonly number[], { logLikelihoods }: Scores): readonly (readonly number[])[] {
    let next = 0;
    return places.map((place) => this.documents[place]!.sequences.map(() => logLikelihoods[next++]!));
  }
}

/** Likelihoods are asked of choices. */
function withChoices(planned: PlannedTasks | undefined): PlannedTasks {
  const generated = planned?.list.find((task) => taskOf(task).known === 'gsm8k');
  if (planned && !generated) return planned;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'searching with `objective: tasks`',
    expected: 'tasks with choices, whose likelihoods make a fitness',
    actual: generated ? `${generated.task}, whose answers are generated` : 'no tasks',
    remedy: generated ? 'Leave it out of `tasks`.' : 'Say `tasks`, such as piqa, or choose another objective.',
  });
}

function notFinite(): EspalierError {
  return new EspalierError({
    code: 'evaluation/not-finite',
    operation: 'asking the dense model',
    expected: 'a finite log-likelihood of every choice',
    actual: 'some that are not',
    remedy: 'Check the checkpoint’s weights; with precision float16 also try float32.',
  });
}
