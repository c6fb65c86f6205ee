import { formatSeconds } from '../../experiment/format.ts';
import type { RateSearchPlan } from '../../search/rates/plan.ts';
import { fitnessWords } from '../../search/fitnessWords.ts';
import type { EventOf } from '../../search/kinds.ts';
import { configurationOf, configurationText } from '../../search/rates/configuration.ts';
import { subjectWords } from '../../search/rates/configuration.ts';
import { SEARCH_METHODS } from '../../search/methods.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { RateBaseline, RateCounts, RateGeneration } from '../../search/rates/events.ts';
import { runName } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import type { Outcome } from '../../search/lifecycle/events.ts';
import { fitnessAgainstDense, fitnessText, formatFitness } from '../../search/lifecycle/fitnessText.ts';
import { fitnessIn, objectiveOf } from '../../search/lifecycle/objective.ts';
import { measuredFinalist } from '../../search/lifecycle/measuredFinalist.ts';
import { fitnessOf, measuredOf } from '../../search/lifecycle/outcome.ts';
import { foundFitness } from './foundFitness.ts';
import { bestConfiguration, improvementsByLlm } from '../../search/rates/state.ts';
import type { RateState } from '../../search/rates/state.ts';
import { proposer, spentWords } from './proposer.ts';
import { generationCells } from './generationCells.ts';
import type { RunLines } from './runLines.ts';
import { blockSearchResult } from './blockSearchResult.ts';
import type { BlockSearchResult } from './blockSearchResult.ts';
import { finalTable, foundStructure, structureOpenedLine } from './structureTable.ts';
import type { FoundStructure } from './structureTable.ts';
import type { Terminal } from '../terminal.ts';

/** A search for rates as a person reads it: a line a generation, and at the end what was found beside the baselines. */
export function rateReportLines(
  { folder, record: run }: RunFolder<RateSearchPlan>,
  state: RateState,
  { out }: Pick<Terminal, 'out'>,
): RunLines<'rates'> {
  let rows = 0;
  return {
    opening() {
      const { plan } = run;
      const { method, seed } = plan.search;
      const from = state.generations.length > 0 ? `, from generation ${state.generations.length} on` : '';
      return [
        `${plan.name} · ${method} · ${printSparsity(plan.sparsity)} · ${subjectWords(plan)} · ${SEARCH_METHODS[method].words(plan.search)} · ${[...fitnessWords(plan), `seed ${seed}`].join(' · ')}`,
        ...(plan.llm ? [`rates are proposed by ${proposer(plan.llm, 'classical operators')}`] : []),
        out.dim(`run ${runName({ folder })}${from}`),
      ];
    },
    event(event) {
      if (event.kind === 'opened') return { printed: [structureOpenedLine(event)] };
      if (event.kind === 'baseline') return { printed: [baselineLine(event, state)] };
      if (event.kind === 'fallback') {
        return {
          said: [`classical operators make ${event.count} in the place of the language model: ${event.reason}`],
        };
      }
      if (event.kind === 'quarantined') {
        return {
          said: [`configuration ${event.id} ends its worker and is not tried again`, `  ${event.error.actual}`],
        };
      }
      if (event.kind !== 'generation') return {};
      const row = generationRow(event, state, run.plan);
      return { printed: rows++ === 0 ? ['', out.bold(HEADER), row] : [row] };
    },
    status: (event) => statusLine(event, run.plan, state),
    final() {
      const best = bestConfiguration(state);
      return [
        ...finalTable(state, (finalist) => measuredFinalist(finalist, state), out),
        ...(best === undefined
          ? []
          : [`best: configuration ${best.id}, by ${best.operator}: ${configurationText(best)}`]),
        ...summary(state, run.plan).map((line) => out.dim(line)),
      ];
    },
  };
}

/** What came of a search for rates, or has come of it so far. */
export interface RateSearchResult extends BlockSearchResult {
  /** Best first, as finally evaluated; of a search that is not finished the best so far. */
  readonly best: readonly FoundStructure[];
  readonly baselines: readonly FoundStructure[];
  /** Tokens and cost of the language model among them. */
  readonly counts: RateCounts;
  /** How often a new best came, and how often the language model had proposed it. */
  readonly improvements: { readonly all: number; readonly byLlm: number };
}

export function rateSearchResult(of: RunFolder<RateSearchPlan>, state: RateState): RateSearchResult {
  const { finalists, ranking, byId, improvements, counts } = state;
  const found = ranking.flatMap((id) => finalists.find((finalist) => finalist.id === id) ?? []);
  const soFar = bestConfiguration(state);
  return {
    ...blockSearchResult(of, state),
    best:
      found.length > 0
        ? found.map((finalist) =>
            foundStructure(finalist, byId.get(finalist.id ?? -1), measuredFinalist(finalist, state)),
          )
        : soFar === undefined
          ? []
          : [
              {
                name: `configuration ${soFar.id}`,
                id: soFar.id,
                ...configurationOf(soFar),
                ...foundFitness(measuredOf(soFar)),
                testPerplexity: null,
                removed: null,
                parameters: null,
              },
            ],
    baselines: finalists
      .filter(({ id }) => id === undefined)
      .map((finalist) => {
        const baseline = state.baselines.find(({ name }) => name === finalist.name);
        return foundStructure(finalist, baseline, measuredFinalist(finalist, state));
      }),
    counts,
    improvements: { all: improvements.length, byLlm: improvementsByLlm(state) },
  };
}

function baselineLine({ name, error, rates, ...measured }: RateBaseline, { opening }: RateState): string {
  const fitness = fitnessIn(measured);
  if (fitness === undefined) return `${name} failed: ${error?.actual ?? 'no finite loss'}`;
  return `${name} ${fitnessAgainstDense(fitness, opening)}  ${configurationText({ rates })}`;
}

const HEADER = generationCells(
  ['generation', 'best', 'mean', 'best so far', 'evaluations', 'tokens', 'time'],
  'best rates so far',
);

function generationRow(event: RateGeneration, state: RateState, { llm }: Pick<RateSearchPlan, 'llm'>): string {
  const number = (value: number | null | undefined): string =>
    value === null || value === undefined ? '–' : formatFitness(value, objectiveOf(state.opening));
  const { counts, bestSoFar } = event;
  const best = bestSoFar && state.byId.get(bestSoFar.id);
  return generationCells(
    [
      String(event.generation),
      number(event.best),
      number(event.mean),
      number(bestSoFar && fitnessIn(bestSoFar)),
      evaluationsText(counts),
      llm ? String(counts.promptTokens + counts.replyTokens) : '–',
      formatSeconds(state.times.worked / 1000),
    ],
    best ? configurationText(best) : '',
  );
}

function statusLine(event: EventOf<'rates'>, { search }: RateSearchPlan, state: RateState): string {
  if (event.kind === 'finished' || event.kind === 'paused') return '';
  const done = state.generations.length;
  const best = bestConfiguration(state);
  const fitness = best && fitnessOf(best);
  const asking = state.calls.at(-1);
  return [
    state.finalists.length > 0 || done > search.generations
      ? 'evaluating the finalists'
      : done === 0
        ? 'first configurations'
        : `generation ${done} / ${search.generations}`,
    `${evaluationsText(state.counts)} evaluations`,
    ...(asking !== undefined && asking.reply === undefined ? [`asking the language model (${asking.role})`] : []),
    ...(fitness === undefined ? [] : [`best ${fitnessText(fitness, objectiveOf(state.opening))}`]),
  ].join(' · ');
}

/** Of the whole text; what was stopped early took a part of one. */
function evaluationsText({ evaluations }: RateCounts): string {
  return String(Number(evaluations.toFixed(1)));
}

function evaluatedText({ candidates, counts }: RateState): string {
  const having = (kind: Outcome['kind']): number => candidates.filter(({ outcome }) => outcome.kind === kind).length;
  const [full, stopped] = [having('full'), having('stopped')];
  if (stopped === 0) return `${counts.evaluations} evaluated`;
  return `${full} evaluated in full, ${stopped} stopped early (${evaluationsText(counts)} evaluations of the whole text)`;
}

function summary(state: RateState, { llm }: RateSearchPlan): readonly string[] {
  const { counts, improvements, times } = state;
  const asked =
    llm === undefined || llm.provider === 'none'
      ? []
      : [
          `${counts.calls} replies, ${counts.failedCalls} requests without one · lists: ${counts.listsUsed} used, ${counts.listsRepaired} repaired, ${counts.listsRefused} refused · ${counts.fallbacks} configurations by classical operators in their place`,
          `${spentWords(counts)} · ${improvementsByLlm(state)} of ${improvements.length} improvements by the language model`,
        ];
  return [
    `${counts.candidates} configurations: ${evaluatedText(state)}, ${counts.duplicates} had been before, ${counts.invalid} invalid, in ${formatSeconds(times.worked / 1000)}`,
    ...asked,
  ];
}
