import { formatCount, formatPerplexity, formatSeconds } from '../../experiment/format.ts';
import { recoveryWarnings, warningsOf } from '../../experiment/resultWarnings.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { runName } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import type { EventOf } from '../../search/kinds.ts';
import type { FinalistEvent } from '../../search/lifecycle/events.ts';
import type { StoppedEvent, ValidatedEvent } from '../../search/recovery/events.ts';
import { AFTER, BEFORE } from '../../search/recovery/finalists.ts';
import type { RecoveryPlan } from '../../search/recovery/plan.ts';
import { bestValidation } from '../../search/recovery/state.ts';
import type { RecoveryState, Validation } from '../../search/recovery/state.ts';
import { runMethod } from '../../search/runMethod.ts';
import type { SearchStatus } from '../../search/lifecycle/state.ts';
import { finalTasks } from './taskJson.ts';
import { finalTaskLines } from './taskTable.ts';
import type { Terminal } from '../terminal.ts';
import type { RunLines } from './runLines.ts';

/** A recovery as a person reads it: a line for each look at the held-out text, and at the end before and after. */
export function recoveryReportLines(
  { folder, record: run }: RunFolder<RecoveryPlan>,
  state: RecoveryState,
  { out }: Pick<Terminal, 'out'>,
): RunLines<'recovery'> {
  const { plan } = run;
  let rows = 0;
  const table = (row: string): readonly string[] => (rows++ === 0 ? ['', out.bold(HEADER), row] : [row]);
  return {
    opening() {
      const { steps, batch, rate, rank, seed, method } = plan.recovery;
      const what = method === 'lora' ? `rank ${rank}` : 'nothing else';
      return [
        `${plan.name} · ${runMethod(plan).title}, ${what} · ${prunedText(plan)} · ${steps} steps of ${batch} sequences at ${rate} · seed ${seed}`,
        out.dim(`run ${runName({ folder })}${state.steps > 0 ? `, from step ${state.steps} on` : ''}`),
      ];
    },
    event(event) {
      switch (event.kind) {
        case 'opened': {
          const { architecture, parameters, trainable, sequences, trainingTokens, blocks, device, densePerplexity } =
            event;
          return {
            printed: [
              `${architecture}, ${formatCount(parameters)} parameters; ${formatCount(trainable)} numbers are trained, on ${device}`,
              `${sequences} sequences to train on, ${formatCount(trainingTokens)} tokens; ${blocks} blocks held out, where the dense model has ${formatPerplexity(densePerplexity)}`,
              ...table(row(state.validations[0]!, undefined, state)),
            ],
          };
        }
        case 'validated':
          return { printed: table(row(event, state.losses.at(-1)?.loss, state)) };
        case 'stopped':
          return event.reason === 'steps' ? {} : { said: [stoppedText(event, plan)] };
        case 'finalist':
          return { said: warningsAbout(event) };
        case 'trained':
        case 'finished':
        case 'paused':
        case 'resumed':
        case 'failed':
        case 'quarantined':
          return {};
      }
    },
    status: (event) => statusLine(event, plan, state),
    final: () => finalLines(state, out),
  };
}

/** What whoever uses the recovered model has to be told: why training ended is said when it ends. */
function warningsAbout({ result, test }: FinalistEvent): readonly string[] {
  const told = [result, test].flatMap((of) => (of?.recovery ? recoveryWarnings(of.recovery, of.perplexity) : []));
  return [...new Set(told)].map((warning) => `warning: ${warning}`);
}

/** What came of a recovery, or has come of it so far: the last line of `espalier recover --json`. */
export interface RecoveryResult {
  /** Id of the run. */
  readonly run: string;
  readonly name: string;
  readonly method: string;
  readonly state: SearchStatus;
  /** Null where nothing is pruned. */
  readonly sparsity: string | null;
  /** Of the dense model on the evaluation text. */
  readonly densePerplexity: number | null;
  readonly steps: number;
  /** Why training ended. */
  readonly stopped: Omit<StoppedEvent, 'kind'> | null;
  /** On the held-out text. */
  readonly heldOut: {
    readonly densePerplexity: number | null;
    readonly before: number | null;
    /** The state that is kept: after so many steps, with this loss. */
    readonly best: Pick<ValidatedEvent, 'step' | 'loss' | 'perplexity'> | null;
  };
  readonly before: FinalPerplexities | null;
  readonly after: FinalPerplexities | null;
  /** sha-256 of the state that is kept; null until the run is finished, and where it is that before the first step. */
  readonly adapter: string | null;
  readonly seconds: number;
}

/** On the evaluation text, and on the test text where there is one. */
interface FinalPerplexities {
  readonly perplexity: number | null;
  readonly testPerplexity: number | null;
  readonly actualSparsity: number | null;
  /** What it was asked, where the recovery asks tasks. */
  readonly tasks?: readonly object[];
  readonly warnings?: readonly string[];
  readonly error?: FinalistEvent['error'];
}

export function recoveryResult({ folder, record }: RunFolder<RecoveryPlan>, state: RecoveryState): RecoveryResult {
  const { plan } = record;
  const { status, opening, steps, stopped, finished, finalists, times } = state;
  const best = bestValidation(state);
  const reason = stopped && { step: stopped.step, reason: stopped.reason, detail: stopped.detail };
  return {
    run: runName({ folder }),
    name: plan.name,
    method: plan.recovery.method,
    state: status,
    sparsity: plan.evaluation ? printSparsity(plan.evaluation.sparsity) : null,
    densePerplexity: finalists.find(({ result }) => result)?.result?.densePerplexity ?? null,
    steps,
    stopped: reason ?? null,
    heldOut: {
      densePerplexity: opening?.densePerplexity ?? null,
      before: state.validations[0]?.perplexity ?? null,
      best: best ? { step: best.step, loss: best.loss, perplexity: best.perplexity } : null,
    },
    before: finalOf(finalists, BEFORE),
    after: finalOf(finalists, AFTER),
    adapter: finished?.state ?? null,
    seconds: times.worked / 1000,
  };
}

function finalOf(finalists: readonly FinalistEvent[], wanted: string): FinalPerplexities | null {
  const found = finalists.find(({ name }) => name === wanted);
  if (!found) return null;
  const { result, test, error } = found;
  const warnings = [...new Set([result, test].flatMap((of) => (of ? warningsOf(of) : [])))];
  return {
    perplexity: result?.perplexity ?? null,
    testPerplexity: test?.perplexity ?? null,
    actualSparsity: result?.actualSparsity ?? null,
    ...finalTasks(found),
    ...(warnings.length > 0 && { warnings }),
    ...(error && { error }),
  };
}

/** What is pruned before: `wanda at 50%`. */
function prunedText({ evaluation }: RecoveryPlan): string {
  return evaluation ? `${evaluation.metric} at ${printSparsity(evaluation.sparsity)}` : 'the checkpoint as it is';
}

const HEADER = cells(['step', 'loss', 'held out', 'perplexity', 'best so far', 'time']);

function row(
  { step, loss, perplexity, isBest }: Validation,
  training: number | null | undefined,
  state: RecoveryState,
): string {
  const best = isBest ? perplexity : bestValidation(state)?.perplexity;
  return cells([
    String(step),
    training === null || training === undefined ? '–' : training.toFixed(4),
    loss === null ? 'not finite' : loss.toFixed(4),
    perplexity === null ? '–' : formatPerplexity(perplexity),
    best === null || best === undefined ? '–' : `${formatPerplexity(best)}${isBest ? ' *' : '  '}`,
    formatSeconds(state.times.worked / 1000),
  ]);
}

function cells([step, loss, heldOut, perplexity, best, time]: readonly string[]): string {
  return [
    step!.padStart(9),
    loss!.padStart(8),
    heldOut!.padStart(10),
    perplexity!.padStart(10),
    best!.padStart(13),
    time!.padStart(8),
  ]
    .join('  ')
    .trimEnd();
}

/** Why it ended before its last step, and what is kept. */
function stoppedText({ step, detail }: StoppedEvent, { recovery }: RecoveryPlan): string {
  return `stopped after ${step} of ${recovery.steps} steps: ${detail}`;
}

function statusLine(event: EventOf<'recovery'>, { recovery }: RecoveryPlan, state: RecoveryState): string {
  if (event.kind === 'finished' || event.kind === 'paused') return '';
  if (state.stopped) return 'evaluating before and after';
  const loss = state.losses.at(-1)?.loss;
  const best = bestValidation(state);
  const { training, looking } = state.seconds;
  const left = state.steps === 0 ? undefined : ((training + looking) / state.steps) * (recovery.steps - state.steps);
  return [
    `step ${state.steps} / ${recovery.steps}`,
    ...(loss === null || loss === undefined ? [] : [`loss ${loss.toFixed(3)}`]),
    ...(best?.perplexity == null ? [] : [`best ${formatPerplexity(best.perplexity)}`]),
    ...(left === undefined ? [] : [`${formatSeconds(left)} left`]),
  ].join(' · ');
}

function finalLines(state: RecoveryState, out: Terminal['out']): readonly string[] {
  const { finalists, finished, stopped, steps, times } = state;
  const best = bestValidation(state);
  const results = finalists.map(({ name, result, test, error }) => ({ name, result, test, error }));
  const dense = results.find(({ result }) => result)?.result;
  const number = (result: EvaluationResult | undefined): string => (result ? formatPerplexity(result.perplexity) : '–');
  const isTested = results.some(({ test }) => test !== undefined);
  const line = (name: string, ...values: readonly string[]): string =>
    [name.padEnd(8), ...values.map((value) => value.padStart(12))].join('  ');
  const denseTest = results.find(({ test }) => test)?.test?.densePerplexity;
  return [
    ...(dense
      ? [
          out.bold(line('', 'perplexity', ...(isTested ? ['on the test'] : []))),
          line(
            'dense',
            formatPerplexity(dense.densePerplexity),
            ...(isTested ? [denseTest === undefined ? '–' : formatPerplexity(denseTest)] : []),
          ),
        ]
      : []),
    ...results.map(({ name, result, test, error }) =>
      error ? `${name.padEnd(8)}  ${error.actual}` : line(name, number(result), ...(isTested ? [number(test)] : [])),
    ),
    ...taskTables(finalists),
    ...(best && finished ? [keptText(finished.kept, best)] : []),
    out.dim(`${steps} steps in ${formatSeconds(times.worked / 1000)}${stopped ? `; ${stopped.detail}` : ''}`),
  ];
}

function taskTables(finalists: readonly FinalistEvent[]): readonly string[] {
  const lines = finalTaskLines(finalists);
  return lines.length > 0 ? [...lines, ''] : [];
}

function keptText(step: number, { perplexity }: Validation): string {
  if (step === 0) return 'kept the model as it was: no step did better on the held-out text';
  return `kept the state after ${step} steps${perplexity === null ? '' : `: ${formatPerplexity(perplexity)} on the held-out text`}`;
}
