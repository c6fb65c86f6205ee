import { formatSeconds, formatShare } from '../../experiment/format.ts';
import type { MaskSearchPlan } from '../../search/masks/plan.ts';
import { structureScoreText } from '../../experiment/planned.ts';
import { fitnessWords } from '../../search/fitnessWords.ts';
import type { EventOf } from '../../search/kinds.ts';
import { SEARCH_METHODS } from '../../search/methods.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { ModelMask } from '../../experiment/structureSchema.ts';
import { runName } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { fitnessText, formatFitness } from '../../search/lifecycle/fitnessText.ts';
import type { FinalistEvent } from '../../search/lifecycle/events.ts';
import { fitnessIn, objectiveOf } from '../../search/lifecycle/objective.ts';
import type { AnyFitness } from '../../search/lifecycle/objective.ts';
import { bestCheckpoint } from '../../search/masks/state.ts';
import type { MaskState } from '../../search/masks/state.ts';
import type { RunLines } from './runLines.ts';
import { foundFitness } from './foundFitness.ts';
import { blockSearchResult } from './blockSearchResult.ts';
import type { BlockSearchResult } from './blockSearchResult.ts';
import { finalTable, foundStructure, structureOpenedLine } from './structureTable.ts';
import type { FoundStructure } from './structureTable.ts';
import type { Terminal } from '../terminal.ts';
import type { ProbabilitiesEvent } from '../../search/masks/events.ts';

/** A search for masks as a person reads it: a line a checkpoint, and at the end what was found beside the baselines. */
export function maskReportLines(
  { folder, record: run }: RunFolder<MaskSearchPlan>,
  state: MaskState,
  { out }: Pick<Terminal, 'out'>,
): RunLines<'masks'> {
  let rows = 0;
  return {
    opening() {
      const { plan } = run;
      const { method, initial, components, seed } = plan.search;
      const from = initial === 'metric' ? structureScoreText(plan.score) : initial;
      return [
        `${plan.name} · ${method} · ${printSparsity(plan.sparsity)} · ${components} from ${from} · ${SEARCH_METHODS[method].words(plan.search)} · ${[...fitnessWords(plan), `seed ${seed}`].join(' · ')}`,
        out.dim(`run ${runName({ folder })}${state.steps > 0 ? `, from step ${state.steps} on` : ''}`),
      ];
    },
    event(event) {
      if (event.kind === 'opened') return { printed: [structureOpenedLine(event)] };
      if (event.kind === 'quarantined') {
        return { said: [`mask ${event.id} ends its worker and is not tried again`, `  ${event.error.actual}`] };
      }
      if (event.kind !== 'probabilities') return {};
      const row = checkpointRow(event, state);
      return { printed: rows++ === 0 ? ['', out.bold(HEADER), row] : [row] };
    },
    status: (event) => statusLine(event, run.plan, state),
    final() {
      const leftOut = state.leftOut === 0 ? '' : `, ${state.leftOut} losses left out because they were not finite`;
      return [
        ...finalTable(state, (finalist) => measuredBy(finalist, run.plan, state), out),
        out.dim(`${state.steps} steps in ${formatSeconds(state.times.worked / 1000)}${leftOut}`),
      ];
    },
  };
}

/** What came of a search for masks, or has come of it so far. */
export interface MaskSearchResult extends BlockSearchResult {
  /** As finally evaluated; of a search that is not finished the checkpoint that did best. */
  readonly best: readonly FoundStructure[];
  readonly baselines: readonly FoundStructure[];
  /** What stays, block by block: bits as hexadecimal digits; null until the search is finished. */
  readonly mask: ModelMask | null;
  readonly counts: { readonly steps: number; readonly leftOut: number };
}

/** What the search has measured of the mask that it found; nothing of baselines. */
function measuredBy({ name }: FinalistEvent, { baselines }: MaskSearchPlan, state: MaskState): AnyFitness | undefined {
  return baselines.some((baseline) => baseline.name === name) ? undefined : bestCheckpoint(state);
}

export function maskSearchResult(of: RunFolder<MaskSearchPlan>, state: MaskState): MaskSearchResult {
  const { record: run } = of;
  const { finalists, finished, steps, leftOut } = state;
  const baselines = new Set(run.plan.baselines.map(({ name }) => name));
  const found = finalists.filter(({ name }) => !baselines.has(name));
  const soFar = bestCheckpoint(state);
  return {
    ...blockSearchResult(of, state),
    best:
      found.length > 0
        ? found.map((finalist) => foundStructure(finalist, undefined, measuredBy(finalist, run.plan, state)))
        : soFar === undefined
          ? []
          : [
              {
                name: `step ${soFar.step}`,
                ...foundFitness(soFar),
                testPerplexity: null,
                removed: soFar.removed,
                parameters: null,
              },
            ],
    baselines: finalists.filter(({ name }) => baselines.has(name)).map((finalist) => foundStructure(finalist)),
    mask: finished?.mask ?? null,
    counts: { steps, leftOut },
  };
}

const HEADER = cells(['step', 'fitness', 'best so far', 'removed', 'loss', 'average', 'time']);

function checkpointRow(checkpoint: ProbabilitiesEvent, state: MaskState): string {
  const { step, removed } = checkpoint;
  const best = bestCheckpoint(state);
  const fitness = (value: number): string => formatFitness(value, objectiveOf(state.opening));
  const number = (value: number | null | undefined, format: (value: number) => string): string =>
    value === null || value === undefined ? '–' : format(value);
  const last = state.losses.at(-1);
  return cells([
    String(step),
    number(fitnessIn(checkpoint), fitness),
    number(best && fitnessIn(best), fitness),
    formatShare(removed),
    number(last?.loss, (loss) => loss.toFixed(4)),
    number(last?.baseline, (loss) => loss.toFixed(4)),
    formatSeconds(state.times.worked / 1000),
  ]);
}

function cells([step, fitness, best, removed, loss, average, time]: readonly string[]): string {
  return [
    step!.padStart(9),
    fitness!.padStart(10),
    best!.padStart(11),
    removed!.padStart(8),
    loss!.padStart(8),
    average!.padStart(8),
    time!.padStart(8),
  ].join('  ');
}

function statusLine(event: EventOf<'masks'>, { search }: MaskSearchPlan, state: MaskState): string {
  if (event.kind === 'finished' || event.kind === 'paused') return '';
  const best = bestCheckpoint(state);
  const fitness = best && fitnessIn(best);
  const loss = state.losses.at(-1)?.loss;
  return [
    state.steps < search.steps ? `step ${state.steps} / ${search.steps}` : 'evaluating what was found',
    ...(loss === null || loss === undefined ? [] : [`loss ${loss.toFixed(3)}`]),
    ...(fitness === undefined ? [] : [`best ${fitnessText(fitness, objectiveOf(state.opening))}`]),
  ].join(' · ');
}
