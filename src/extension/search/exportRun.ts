import { csv } from '../../base/csv.ts';
import { configurationColumns } from '../../search/rates/configuration.ts';
import type { RunRecord } from '../../runs/runRecord.ts';
import { parsePrefix } from '../../metric/parsePrefix.ts';
import { printInfix } from '../../metric/print.ts';
import { fitnessIn, FITNESS_FIELDS, objectiveOf } from '../../search/lifecycle/objective.ts';
import { fitnessOf } from '../../search/lifecycle/outcome.ts';
import { improvementOf, operatorShares } from '../../search/metrics/operatorShares.ts';
import type { SearchOpening } from '../../search/lifecycle/events.ts';
import type { MetricState } from '../../search/metrics/state.ts';
import type { CandidateOutcome } from '../../search/metrics/events.ts';
import type { MaskState } from '../../search/masks/state.ts';
import type { RateCandidate } from '../../search/rates/events.ts';
import type { RateState } from '../../search/rates/state.ts';
import type { TrainedEvent } from '../../search/recovery/events.ts';
import type { RecoveryState } from '../../search/recovery/state.ts';
import type { StepEvent } from '../../search/masks/events.ts';

/** `blocks`: of the text, or documents of the tasks, that were seen by what was stopped early; its fitness is an estimate. */
const OUTCOME_COLUMNS = ['outcome', 'blocks', 'same as', 'reason'] as const;

/**
 * All candidates of a run as comma-separated values (RFC 4180), with all digits. `improves`: `best` where a candidate became the best of all,
 * `parents` where it is better than its parents at least; by operator they are what each has contributed. Generations count from 1, as the
 * panel's do.
 */
export function runAsCsv(state: MetricState): string {
  const { candidates, opening } = state;
  const improvement = improvementOf(state);
  const columns = [
    'id',
    'generation',
    'formula',
    ...fitnessColumns(opening),
    'size',
    'depth',
    'operator',
    'parents',
    'request',
    'improves',
    ...OUTCOME_COLUMNS,
  ];
  const rows = candidates.map((candidate) => {
    const { id, generation, expression, size, depth, operator, parents, call, outcome } = candidate;
    return [
      id,
      generation + 1,
      printInfix(parsePrefix(expression)),
      ...fitnessCells(candidate, opening),
      size,
      depth,
      operator,
      parents.join(' '),
      call ?? '',
      improvement(candidate) ?? '',
      ...outcomeCells(outcome),
    ];
  });
  return csv([columns, ...rows]);
}

/** All configurations of a search for rates; what they are stands last, the rates one column a block. Generation 0 are the first ones. */
export function ratesAsCsv({ candidates, opening }: RateState): string {
  const { names, cellsOf } = configurationColumns(candidates, opening?.components.length);
  const columns = [
    'id',
    'generation',
    'operator',
    'parents',
    'repaired',
    'request',
    ...fitnessColumns(opening),
    ...OUTCOME_COLUMNS,
  ];
  const rows = candidates.map((candidate) => {
    const { id, generation, operator, parents, repaired, call, outcome } = candidate;
    return [
      ...[id, generation, operator, parents.join(' '), repaired ? 'yes' : '', call ?? ''],
      ...fitnessCells(candidate, opening),
      ...outcomeCells(outcome),
      ...cellsOf(candidate),
    ];
  });
  return csv([[...columns, ...names], ...rows]);
}

/** All steps of a search for masks, with the fitness where there was a checkpoint before the step. */
export function masksAsCsv(steps: readonly StepEvent[], { checkpoints, opening }: MaskState): string {
  const at = new Map(checkpoints.map((checkpoint) => [checkpoint.step, checkpoint]));
  const stepped = new Map(steps.map((step) => [step.step, step]));
  const numbers = [...new Set([...stepped.keys(), ...at.keys()])].sort((a, b) => a - b);
  const rows = numbers.map((number) => {
    const [step, checkpoint] = [stepped.get(number), at.get(number)];
    const losses = step?.losses.map((loss) => loss ?? 'NaN').join(' ') ?? '';
    return [
      number + 1,
      losses,
      step?.baseline ?? '',
      (checkpoint && fitnessIn(checkpoint)) ?? '',
      ...(opening?.objective === 'tasks' ? [checkpoint?.accuracy ?? ''] : []),
      checkpoint?.removed ?? '',
    ];
  });
  const columns = fitnessColumns(opening).map((name) => `${name} before`);
  return csv([['step', 'losses', 'baseline', ...columns, 'removed'], ...rows]);
}

/** What a run was asked and what it found, without the single measurements. */
export function runAsJson(run: RunRecord, state: MetricState): string {
  const { opening, baselines, generations, counts, candidates, finalists, ranking } = state;
  const { calls, proposed, fallbacks } = state;
  const operators = operatorShares(state);
  const asked = calls.length === 0 ? {} : { calls, proposed, fallbacks };
  const found = { opening, baselines, generations, counts, operators, finalists, ranking, candidates, ...asked };
  return `${JSON.stringify({ run, ...found }, undefined, 2)}\n`;
}

export function ratesAsJson(run: RunRecord, state: RateState): string {
  const { opening, baselines, generations, counts, candidates, calls, fallbacks, finalists, ranking } = state;
  const found = { opening, baselines, generations, counts, finalists, ranking, candidates, calls, fallbacks };
  return `${JSON.stringify({ run, ...found }, undefined, 2)}\n`;
}

/** Without the probabilities, which stand in the journal. */
export function masksAsJson(run: RunRecord, state: MaskState): string {
  const { opening, steps, stepsOfPoint, losses, leftOut, checkpoints, finalists, finished } = state;
  const found = { opening, steps, leftOut, checkpoints, finalists, finished, stepsOfPoint, losses };
  return `${JSON.stringify({ run, ...found }, undefined, 2)}\n`;
}

/** All steps of a recovery, with the held-out loss where it was looked at after the step; step 0 is before the first. */
export function recoveryAsCsv(trained: readonly TrainedEvent[], { validations }: RecoveryState): string {
  const losses = lossesOf(trained);
  const looks = new Map(validations.map((look) => [look.step, look]));
  const rows = Array.from({ length: losses.length + 1 }, (_, step) => {
    const look = looks.get(step);
    const loss = step === 0 ? '' : (losses[step - 1] ?? 'NaN');
    return [step, loss, look ? (look.loss ?? 'NaN') : '', look?.perplexity ?? '', look?.isBest ? 'yes' : ''];
  });
  return csv([['step', 'loss', 'held-out loss', 'held-out perplexity', 'best so far'], ...rows]);
}

export function recoveryAsJson(run: RunRecord, trained: readonly TrainedEvent[], state: RecoveryState): string {
  const { opening, validations, stopped, finalists, finished } = state;
  const found = { opening, validations, stopped, finalists, finished, losses: lossesOf(trained) };
  return `${JSON.stringify({ run, ...found }, undefined, 2)}\n`;
}

function lossesOf(trained: readonly TrainedEvent[]): readonly (number | null)[] {
  return trained.flatMap(({ losses }) => losses);
}

/** What the fitness is; by tasks the accuracy stands beside it, where a candidate was asked all documents. */
function fitnessColumns(opening: SearchOpening | undefined): readonly string[] {
  const objective = objectiveOf(opening);
  return [FITNESS_FIELDS[objective], ...(objective === 'tasks' ? ['accuracy'] : [])];
}

function fitnessCells(
  candidate: { readonly outcome: CandidateOutcome | RateCandidate['outcome'] },
  opening: SearchOpening | undefined,
): readonly (string | number)[] {
  const { outcome } = candidate;
  const accuracy = outcome.kind === 'invalid' ? undefined : outcome.accuracy;
  return [fitnessOf(candidate) ?? '', ...(opening?.objective === 'tasks' ? [accuracy ?? ''] : [])];
}

function outcomeCells(outcome: CandidateOutcome | RateCandidate['outcome']): (string | number)[] {
  switch (outcome.kind) {
    case 'full':
      return [outcome.kind, '', '', ''];
    case 'stopped':
      return [outcome.kind, outcome.blocks, '', ''];
    case 'shared':
      return [outcome.kind, '', outcome.of, 'by' in outcome ? outcome.by : ''];
    case 'invalid':
      return [
        outcome.kind,
        '',
        '',
        'reason' in outcome ? `${outcome.reason}: ${outcome.detail}` : said(outcome.detail),
      ];
  }
}

/** What a spreadsheet would take for a formula of its own, and compute, begins with a quote: it is what somebody said. */
function said(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}
