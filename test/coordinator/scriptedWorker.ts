import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { EspalierError } from '../../src/base/errors.ts';
import { stateFile } from '../../src/files/stateFiles.ts';
import type { ErrorData } from '../../src/base/errors.ts';
import type { PerplexityResult } from '../../src/experiment/resultSchema.ts';
import type { PlannedTasks } from '../../src/experiment/taskSchema.ts';
import { removedShare } from '../../src/experiment/components.ts';
import { packValues } from '../../src/experiment/packedValues.ts';
import type { Candidate, Sequences } from '../../src/experiment/measuringSchema.ts';
import type { ModelMask } from '../../src/experiment/structureSchema.ts';
import { isStructural } from '../../src/experiment/planned.ts';
import { asRanked, scoreText } from '../../src/experiment/planned.ts';
import type { RunPlan } from '../../src/search/kinds.ts';
import { printInfix, printPrefix } from '../../src/metric/print.ts';
import type { Expression } from '../../src/metric/expression.ts';
import { serve } from '../../src/protocol/server.ts';
import type { RequestHandlers } from '../../src/protocol/server.ts';
import type { WorkerExit, WorkerProcess } from '../../src/protocol/workerProcess.ts';
import { memoryTransport } from '../protocol/memoryTransport.ts';
import {
  idleStructureHandlers,
  sampleInspection,
  samplePreflight,
  sampleResult,
  sampleSummary,
} from '../protocol/samples.ts';
import { sampleTask } from '../support/sampleTasks.ts';
import { without } from '../support/without.ts';
import type { MaskProblem } from '../search/masks/simulation.ts';
import { heldOutOf, stateAfter, trainedOf } from '../search/recovery/simulation.ts';
import type { RecoveryProblem } from '../search/recovery/simulation.ts';
import { lossOnBlocks } from '../search/rates/simulation.ts';
import type { RateProblem } from '../search/rates/simulation.ts';
import { simulation } from '../search/metrics/simulation.ts';
import type { MeasureOutcome, SearchOpening } from '../../src/search/lifecycle/events.ts';

const PROBLEM = simulation(1);
const probe = remembered((expression) => PROBLEM.probe(expression));
const measures = new Map<string, ReturnType<typeof remembered<MeasureOutcome>>>();

/** Workers are asked the same again and again; the simulation computes it once. */
function remembered<Value>(compute: (expression: Expression) => Value): (expression: Expression) => Value {
  const known = new Map<string, Value>();
  return (expression) => {
    const text = printPrefix(expression);
    if (!known.has(text)) known.set(text, compute(expression));
    return known.get(text)!;
  };
}

function measure(expression: Expression, begin: number, end: number): MeasureOutcome {
  const key = `${begin}-${end}`;
  let of = measures.get(key);
  if (!of) measures.set(key, (of = remembered((one) => PROBLEM.measure(one, { index: 0, begin, end }))));
  return of(expression);
}

/** What a scripted worker does when it is asked something: answer (by itself), end as a crash does, or never answer. */
export type Reaction = 'answer' | 'die' | 'hang';

export type ScriptedRequest =
  'open' | 'probe' | 'measure' | 'evaluate' | 'componentScores' | 'train' | 'validate' | 'recovered';

export interface Script {
  /**
   * @param about what is asked about: expressions in prefix form, rates, masks; nothing for open
   * @param on what is measured on
   */
  readonly react?: (request: ScriptedRequest, about: readonly string[], on?: Sequences) => Reaction;
  /** Why an evaluation is refused, where it is. @param about what it scores */
  readonly refuse?: (about: string) => ErrorData | undefined;
  /** Turns of the event loop before an answer: workers overtake each other. */
  readonly delay?: () => number;
  readonly opening?: Partial<SearchOpening>;
  /** What searches for rates and masks are told. */
  readonly rates?: RateProblem;
  readonly masks?: MaskProblem;
  /** What a recovery is told; states are files in its run's folder. */
  readonly recovery?: RecoveryProblem;
}

/**
 * A worker without a process: the real protocol over memory, and the answers of a simulated pruning problem. The finalists'
 * perplexities are made up from the text's name and the formula.
 */
export class ScriptedWorker implements WorkerProcess {
  private static pids = 1000;
  readonly pid = ScriptedWorker.pids++;
  readonly reader;
  readonly writer;
  gone = false;
  private readonly script: Script;
  /** What is searched for, once it has been opened. */
  private kind: RunPlan['kind'] | undefined;
  private readonly ends = memoryTransport();
  private readonly listeners: ((exit: WorkerExit) => void)[] = [];

  constructor(script: Script) {
    this.script = script;
    this.reader = this.ends.client.reader;
    this.writer = this.ends.client.writer;
    serve(this.ends.server.reader, this.ends.server.writer, this.handlers(), {
      version: '1',
      pid: this.pid,
      log: () => undefined,
    });
  }

  lastWords(): string {
    return 'segmentation fault\u001b[2J';
  }

  onExit(listener: (exit: WorkerExit) => void): void {
    this.listeners.push(listener);
  }

  kill(): void {
    setImmediate(() => {
      this.exit({ code: null, signal: 'SIGKILL' });
    });
  }

  exit(exit: WorkerExit): void {
    if (this.gone) return;
    this.gone = true;
    this.ends.server.close();
    for (const listener of this.listeners) listener(exit);
  }

  private handlers(): RequestHandlers {
    return {
      open: (plan) => {
        this.kind = plan.kind;
        return this.answer('open', [], () => ({ ...this.openingOf(plan), ...this.script.opening }) as never);
      },
      probe: ({ expressions, against }) =>
        this.answer('probe', expressions.map(printPrefix), () =>
          expressions.map((expression, i) => {
            const other = against?.[i];
            return { answer: other ? PROBLEM.probe(expression, other) : probe(expression), seconds: 0.01 };
          }),
        ),
      measure: ({ candidates, on }) =>
        this.answer(
          'measure',
          candidates.map(textOf),
          () => candidates.map((candidate) => ({ answer: this.measure(candidate, on), seconds: 0.01 })),
          on,
        ),
      evaluate: (plan) => {
        const [evaluation] = plan.evaluations;
        if (!evaluation)
          return this.answer('evaluate', [], () => [
            sampleResult({ metric: 'dense', perplexity: 20, ...answered(plan.tasks) }),
          ]);
        if (isStructural(evaluation)) {
          const text = scoreText(evaluation);
          const refused = this.script.refuse?.(text);
          if (refused) return Promise.reject(new EspalierError(refused));
          const perplexity = 20 + Buffer.from(text).reduce((sum, byte) => sum + byte, 0) / 1000;
          return this.answer('evaluate', [text], () => [
            sampleResult({ metric: evaluation.metric, expression: text, perplexity, ...answered(plan.tasks) }),
          ]);
        }
        const { metric, expression } = asRanked(evaluation, 'evaluating');
        const refused = this.script.refuse?.(printPrefix(expression));
        if (refused) return Promise.reject(new EspalierError(refused));
        const perplexity = 20 + printPrefix(expression).length / 10 + plan.text!.length;
        return this.answer('evaluate', [printPrefix(expression)], () => [
          sampleResult({ metric, expression: printInfix(expression), perplexity, ...answered(plan.tasks) }),
        ]);
      },
      ...idleStructureHandlers(),
      componentScores: () =>
        this.answer('componentScores', [], () => {
          const { importance } = this.script.masks!;
          const row = (kind: 'groups' | 'channels'): string =>
            packValues(Float32Array.from(importance.flatMap((block) => block[kind])));
          return { groups: row('groups'), channels: row('channels') };
        }),
      train: ({ from, to, folder }) =>
        this.answer('train', [`${from}-${to}`], () => {
          if (from > 0) expect(readFileSync(stateFile(folder, from), 'utf8')).toBe(stateAfter(from));
          const trained = trainedOf(this.script.recovery!, from, to);
          if (trained.state !== null) writeFileSync(stateFile(folder, to), stateAfter(to));
          return trained;
        }),
      validate: ({ step, folder }) =>
        this.answer('validate', [String(step)], () => {
          expect(readFileSync(stateFile(folder, step), 'utf8')).toBe(stateAfter(step));
          return heldOutOf(this.script.recovery!, step);
        }),
      recovered: ({ point: { step, folder }, before, inputs, tasks }) =>
        this.answer('recovered', [String(step)], () => {
          if (step > 0) expect(readFileSync(stateFile(folder, step), 'utf8')).toBe(stateAfter(step));
          return {
            ...without(before, 'tasks'),
            ...answered(tasks),
            perplexity: before.perplexity - step / 100,
            metric: `${before.metric} on ${inputs.text.length}`,
          };
        }),
      preflight: () => Promise.resolve(samplePreflight()),
      inspect: () => Promise.resolve(sampleInspection()),
      search: () => Promise.resolve('finished'),
      devices: () => Promise.resolve([]),
      describe: ({ model }) => Promise.resolve(sampleSummary(model)),
      identify: ({ models, files }) =>
        Promise.resolve({ models: models.map(() => null), files: files.map(() => null) }),
      shutdown: () => Promise.resolve({}),
    };
  }

  private openingOf(plan: RunPlan): SearchOpening {
    if (plan.kind === 'metrics') return PROBLEM.opening;
    return this.script[plan.kind]!.opening;
  }

  private measure(candidate: Candidate, on: Sequences): MeasureOutcome {
    const answer = this.lossOf(candidate, on);
    if (answer.kind === 'invalid' || this.script.opening?.objective !== 'tasks') return answer;
    return { ...answer, right: answer.blocks / (1 + answer.loss) };
  }

  private lossOf(candidate: Candidate, on: Sequences): MeasureOutcome {
    const { rates, masks } = this.script;
    if (on.kind !== 'blocks') {
      if (candidate.kind !== 'mask') throw new Error('only masks are measured on batches');
      // Batches differ, and blocks.
      const places = on.kind === 'samples' ? on.offsets : on.documents;
      const loss = masks!.lossOf(candidate.mask) + places.reduce((sum, place) => sum + place, 0) / 1e4;
      return { kind: 'loss', blocks: places.length, loss };
    }
    const { begin, end } = on;
    if (candidate.kind === 'metric') return measure(candidate.expression, begin, end);
    if (candidate.kind === 'rates') return lossOnBlocks(rates!, candidate.rates, on);
    // The layers that a search for rates drops.
    if (this.kind === 'rates') return lossOnBlocks(rates!, removedShares(rates!, candidate.mask), on);
    return { kind: 'loss', blocks: end - begin, loss: masks!.lossOf(candidate.mask) + begin / 7 };
  }

  private async answer<Result>(
    request: ScriptedRequest,
    about: readonly string[],
    give: () => Result,
    on?: Sequences,
  ): Promise<Result> {
    const reaction = this.script.react?.(request, about, on) ?? 'answer';
    for (let turns = this.script.delay?.() ?? 0; turns > 0; turns--) await new Promise(setImmediate);
    if (reaction === 'answer') return give();
    if (reaction === 'die') this.exit({ code: null, signal: 'SIGSEGV' });
    return new Promise(() => undefined);
  }
}

/** What tasks gave: the same of all. */
function answered(tasks: PlannedTasks | undefined): Pick<PerplexityResult, 'tasks'> {
  if (!tasks) return {};
  return {
    tasks: tasks.list.map(({ task, documents, shots }) => sampleTask({ task, shots, documentsFile: documents! })),
  };
}

function removedShares({ opening }: RateProblem, mask: ModelMask): readonly number[] {
  return opening.components.map((block, i) => removedShare(block, mask[i]!));
}

/** As scripts see what is asked about. */
export function textOf(candidate: Candidate): string {
  if (candidate.kind === 'metric') return printPrefix(candidate.expression);
  return candidate.kind === 'rates' ? candidate.rates.join(' ') : JSON.stringify(candidate.mask);
}
