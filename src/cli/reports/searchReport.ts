import { formatChange, formatCount, formatPerplexity, formatSeconds, formatShare } from '../../experiment/format.ts';
import { fitnessWords } from '../../search/fitnessWords.ts';
import type { EventOf } from '../../search/kinds.ts';
import { isProposing } from '../../search/metrics/plan.ts';
import type { MetricSearchPlan } from '../../search/metrics/plan.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { sizeOf } from '../../metric/measure.ts';
import { parsePrefix } from '../../metric/parsePrefix.ts';
import { printInfix } from '../../metric/print.ts';
import { runName } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import { figuresOf } from '../../search/metrics/figures.ts';
import { denseText, fitnessAgainstDense, fitnessText, formatFitness } from '../../search/lifecycle/fitnessText.ts';
import { denseFitness, fitnessIn, objectiveOf } from '../../search/lifecycle/objective.ts';
import { measuredFinalist } from '../../search/lifecycle/measuredFinalist.ts';
import { fitnessOf } from '../../search/lifecycle/outcome.ts';
import { bestOf } from '../../search/metrics/state.ts';
import type { MetricState } from '../../search/metrics/state.ts';
import { operatorShares } from '../../search/metrics/operatorShares.ts';
import type { OperatorShare } from '../../search/metrics/operatorShares.ts';
import { chosenBy } from './chosenBy.ts';
import { proposer, spentWords } from './proposer.ts';
import { generationCells } from './generationCells.ts';
import type { RunLines } from './runLines.ts';
import { finalTaskLines } from './taskTable.ts';
import type { Terminal } from '../terminal.ts';
import type { FinalistEvent, SearchOpening } from '../../search/lifecycle/events.ts';
import type { MetricBaseline, MetricGeneration, MetricFinalist } from '../../search/metrics/events.ts';

/** A search for metrics as a person reads it: a line a generation, a table at the end. */
export function metricReportLines(
  { folder, record: run }: RunFolder<MetricSearchPlan>,
  state: MetricState,
  terminal: Pick<Terminal, 'out'>,
): RunLines<'metrics'> {
  let rows = 0;
  /** Why variation stood in the last time: the same is said once. */
  let reason = '';
  return {
    opening() {
      const { plan } = run;
      const { method, population, generations, budget, seed } = plan.search;
      const much = budget > 0 ? `, at most ${budget} evaluations` : '';
      const from = state.generations.length > 0 ? `, from generation ${state.generations.length} on` : '';
      return [
        `${plan.name} · ${method} · ${printSparsity(plan.sparsity)} · ${population} metrics × ${generations} generations${much} · ${[...fitnessWords(plan), `seed ${seed}`].join(' · ')}`,
        ...(isProposing(plan)
          ? [
              `${formatShare(plan.search.proposals)} of the metrics are proposed by ${proposer(plan.llm, 'variation alone')}`,
            ]
          : []),
        terminal.out.dim(`run ${runName({ folder })}${from}`),
      ];
    },
    event(event) {
      if (event.kind === 'opened') return { printed: [openedLine(event)] };
      if (event.kind === 'baseline') return { printed: [baselineLine(event, state)] };
      if (event.kind === 'quarantined') {
        return {
          said: [
            `candidate ${event.id} ends its worker and is not tried again: ${infix(event.expression)}`,
            `  ${event.error.actual}`,
          ],
        };
      }
      if (event.kind === 'fallback') {
        if (event.reason === reason) return {};
        ({ reason } = event);
        return { said: [`variation makes ${event.count} in the place of the language model: ${reason}`] };
      }
      if (event.kind !== 'generation') return {};
      const row = generationRow(event, state);
      return { printed: rows++ === 0 ? ['', terminal.out.bold(GENERATION_HEADER), row] : [row] };
    },
    status: (event) => statusLine(event, run.plan, state),
    final: () => finalReport(state, terminal),
  };
}

/** What a search has found: its finalists beside the baselines, and what it took. */
function finalReport(state: MetricState, { out }: Pick<Terminal, 'out'>): readonly string[] {
  const [header, ...rows] = state.finalists.length > 0 ? finalistTable(state) : [];
  return [
    ...(header === undefined ? [] : [out.bold(header), ...rows, ...finalTaskLines(byRank(state)), '']),
    ...summaryLines(state).map((line) => out.dim(line)),
    ...proposalLines(state).map((line) => out.dim(line)),
  ];
}

function openedLine(event: SearchOpening): string {
  const { architecture, parameters, device } = event;
  return `${denseText(event)} · ${architecture}, ${formatCount(parameters)} parameters · ${device}`;
}

/** Ranked one-shot, as candidates are. */
function baselineLine({ name, error, ...measured }: MetricBaseline, { opening }: MetricState): string {
  const fitness = fitnessIn(measured);
  if (fitness === undefined) return `${name} failed: ${error?.actual ?? 'no finite loss'}`;
  return `${name} ${fitnessAgainstDense(fitness, opening)}`;
}

function statusLine(event: EventOf<'metrics'>, { search }: MetricSearchPlan, state: MetricState): string {
  const { generations } = search;
  if (event.kind === 'finished' || event.kind === 'paused') return '';
  const { progress, secondsLeft } = figuresOf(state, search);
  const best = bestOf(state);
  const fitness = best && fitnessOf(best);
  const done = state.generations.length;
  const asking = state.calls.at(-1);
  const parts = [
    done < generations && state.finalists.length === 0
      ? `generation ${done + 1} / ${generations}`
      : 'evaluating the finalists',
    `${Math.floor(progress * 100)} %`,
    `${state.counts.candidates} metrics`,
    ...(fitness === undefined || state.opening === undefined ? [] : [bestText(fitness, state.opening)]),
    ...(asking !== undefined && asking.reply === undefined ? ['asking the language model'] : []),
    ...(secondsLeft === undefined ? [] : [`${formatSeconds(secondsLeft)} left`]),
  ];
  return parts.join(' · ');
}

/** `best 106.7 (dense 100.3)`, `best KL 0.1234`, `best task loss 1.234 (dense 1.198)`. */
function bestText(fitness: number, opening: SearchOpening): string {
  const objective = objectiveOf(opening);
  const dense = denseFitness(opening);
  return `best ${fitnessText(fitness, objective)}${dense === undefined ? '' : ` (dense ${formatFitness(dense, objective)})`}`;
}

const GENERATION_HEADER = generationCells(
  ['generation', 'best', 'mean', 'best so far', 'evaluations', 'saved', 'time'],
  'best metric so far',
);

function generationRow(event: MetricGeneration, state: MetricState): string {
  const number = (value: number | null | undefined): string =>
    value === null || value === undefined ? '–' : formatFitness(value, objectiveOf(state.opening));
  const { counts, bestSoFar } = event;
  const valid = counts.candidates - counts.invalid;
  const candidate = bestSoFar && state.byId.get(bestSoFar.id);
  return generationCells(
    [
      String(event.generation + 1),
      number(event.best),
      number(event.mean),
      number(bestSoFar && fitnessIn(bestSoFar)),
      counts.evaluations.toFixed(1),
      valid === 0 ? '–' : formatShare(Math.round((1 - counts.evaluations / valid) * 100) / 100),
      formatSeconds(state.times.worked / 1000),
    ],
    candidate ? infix(candidate.expression) : '',
  );
}

/** The best metrics and what they are compared with, evaluated as they are written. */
function finalistTable(state: MetricState): readonly string[] {
  const entries = byRank(state);
  const tested = entries.some(({ test }) => test !== undefined);
  const dense = entries.find(({ result }) => result !== undefined)?.result?.densePerplexity;
  const denseTest = entries.find(({ test }) => test !== undefined)?.test?.densePerplexity;
  const name = Math.max(...entries.map((entry) => entry.name.length), 'metric'.length);
  const chosen = chosenBy<MetricFinalist>(state.opening, (finalist) => measuredFinalist(finalist, state));
  const cells = (
    metric: string,
    own: string,
    fitness: string,
    change: string,
    test: string,
    testChange: string,
    formula: string,
  ): string =>
    [
      metric.padEnd(name),
      ...(chosen ? [own.padStart(chosen.name.length)] : []),
      fitness.padStart(10),
      change.padStart(9),
      ...(tested ? [test.padStart(10), testChange.padStart(9)] : []),
      formula,
    ]
      .join('  ')
      .trimEnd();
  const figures = (result: FinalistEvent['result']): readonly [string, string] =>
    result
      ? [formatPerplexity(result.perplexity), formatChange(result.perplexity, result.densePerplexity)]
      : ['failed', ''];
  return [
    cells('metric', chosen?.name ?? '', chosen ? 'perplexity' : 'fitness', 'change', 'test text', 'change', 'formula'),
    ...entries.map((entry) =>
      cells(
        entry.name,
        chosen?.of(entry) ?? '',
        ...figures(entry.result),
        ...figures(entry.test),
        infix(entry.expression),
      ),
    ),
    cells(
      'dense',
      chosen?.dense ?? '',
      dense === undefined ? '–' : formatPerplexity(dense),
      '',
      denseTest === undefined ? '–' : formatPerplexity(denseTest),
      '',
      '',
    ),
  ];
}

function byRank({ ranking, finalists }: MetricState): readonly MetricFinalist[] {
  const rank = new Map(ranking.map((id, i) => [id, i]));
  const place = ({ id }: MetricFinalist): number => (id === undefined ? Infinity : (rank.get(id) ?? Infinity));
  return [...finalists].sort((a, b) => place(a) - place(b) || 0);
}

function summaryLines({ counts, times, ranking, byId, opening }: MetricState): readonly string[] {
  const { candidates, invalid, duplicates, stoppedEarly, fullEvaluations, evaluations } = counts;
  const best = ranking[0] === undefined ? undefined : byId.get(ranking[0]);
  return [
    `${candidates} metrics: ${invalid} invalid, ${duplicates} with the ranking of another, ${stoppedEarly} stopped early, ${fullEvaluations} evaluated in full`,
    `${evaluations.toFixed(1)} evaluations of ${opening?.objective === 'tasks' ? 'all documents' : 'the whole text'} in ${formatSeconds(times.worked / 1000)}, where each valid metric by itself would have been ${candidates - invalid}`,
    ...(best
      ? [
          `best: candidate ${best.id}, of generation ${best.generation + 1}, ${sizeOf(parsePrefix(best.expression))} nodes`,
        ]
      : []),
  ];
}

/** What each operator has contributed, where a language model is one of them. */
function proposalLines(state: MetricState): readonly string[] {
  const { llm } = state.counts;
  if (!llm) return [];
  return [
    `${llm.calls} replies, ${llm.failedCalls} requests without one · formulas: ${llm.formulasUsed} taken up, ${llm.formulasRejected} rejected · ${llm.fallbacks} metrics by variation in their place`,
    spentWords(llm),
    `improvements: ${operatorShares(state).map(operatorWords).join(', ')}`,
  ];
}

/** `proposed 2 (of 18; 9 in full)`. */
function operatorWords({ operator, candidates, full, improvements, betterThanParents }: OperatorShare): string {
  const better = betterThanParents === null ? '' : `, ${betterThanParents} better than their parents`;
  return `${operator} ${improvements} (of ${candidates}; ${full} in full${better})`;
}

function infix(prefix: string): string {
  return printInfix(parsePrefix(prefix));
}
