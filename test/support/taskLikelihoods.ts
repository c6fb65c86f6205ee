import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import type { EvaluationPlan } from '../../src/experiment/planSchema.ts';
import type { TaskDocument } from '../../src/experiment/taskSchema.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import { python, REFERENCE_CALIBRATION, REFERENCE_MODEL } from './peer.ts';
import { TASK_DOCUMENTS, TASKS_ORACLE } from './tasksReference.ts';

export interface TaskCase {
  readonly tasks: readonly string[];
  readonly shots: number;
  /** Documents of each task; 0: all. */
  readonly limit: number;
  readonly harness: '0.4' | '0.3';
  /** Wanda, half of the weights; else the dense model. */
  readonly pruned: boolean;
}

const SETTINGS = { device: 'cpu', threads: 1, samples: 16, length: 256, offsets: 'even' } as const;

/**
 * Asks the PyTorch oracle and the engine the same, and compares every document: prompts and tokens are equal, log-likelihoods agree to 1e-4 of them
 * (pruned 1e-3), and what follows of them is equal.
 */
export async function expectOraclesLikelihoods(engine: Engine, asked: TaskCase): Promise<void> {
  const { tasks, shots, limit, harness, pruned } = asked;
  const [documents, means] = await askOracle(asked);
  const plan: EvaluationPlan = {
    model: REFERENCE_MODEL,
    calibration: REFERENCE_CALIBRATION,
    tasks: {
      list: tasks.map((task) => ({
        ...{ task, shots, limit, documents: path.join(TASK_DOCUMENTS, `${task}.jsonl`) },
        ...(shots > 0 && { examples: path.join(TASK_DOCUMENTS, `${task}.train.jsonl`) }),
      })),
      harness,
      beginning: 'none',
    },
    evaluations: pruned
      ? [
          {
            metric: 'wanda',
            expression: parsePrefix('mul(W, sqrt(X))'),
            sparsity: { kind: 'unstructured', share: 0.5 },
          },
        ]
      : [],
    settings: { ...DEFAULT_SETTINGS, ...SETTINGS },
  };
  const own: TaskDocument[] = [];
  const [result] = await engine.evaluate(plan, { onTaskDocument: (document) => own.push(document) });
  expect(own.map(({ sha }) => sha)).toEqual(documents.map(({ sha }) => sha));
  expect(own.map(({ tokens }) => tokens)).toEqual(documents.map(({ tokens }) => tokens));
  expect(own.map(({ greedy }) => greedy)).toEqual(documents.map(({ greedy }) => greedy));
  expect(own.map(({ predicted }) => predicted)).toEqual(documents.map(({ pred }) => pred));
  expect(own.map(({ predictedNorm }) => predictedNorm)).toEqual(documents.map((document) => document.pred_norm));
  for (const [i, { lls }] of documents.entries()) {
    for (const [choice, likelihood] of lls.entries()) {
      const ratio = own[i]!.logLikelihoods[choice]! / likelihood;
      expect(Math.abs(ratio - 1), `document ${i}, choice ${choice}`).toBeLessThan(pruned ? 1e-3 : 1e-4);
    }
  }
  for (const [i, mean] of means.entries()) {
    const { acc, acc_norm: norm } = result!.tasks![i]!.means;
    expect(acc!.value).toBe(mean.acc);
    expect(acc!.error ?? 0).toBeCloseTo(mean.acc_stderr ?? 0, 9);
    expect(norm?.value).toBe(mean.acc_norm);
    expect(norm?.error ?? 0).toBeCloseTo(mean.acc_norm_stderr ?? 0, 9);
  }
}

interface OracleDocument {
  readonly doc: number;
  readonly pred: number;
  readonly pred_norm?: number;
  readonly lls: readonly number[];
  readonly greedy: readonly boolean[];
  readonly tokens: readonly (readonly [number, number])[];
  readonly sha: readonly string[];
}

interface OracleMeans {
  readonly acc: number;
  readonly acc_stderr: number | null;
  readonly acc_norm?: number;
  readonly acc_norm_stderr?: number | null;
}

async function askOracle({
  tasks,
  shots,
  limit,
  harness,
  pruned,
}: TaskCase): Promise<[readonly OracleDocument[], readonly OracleMeans[]]> {
  const prune = ['--prune', 'wanda=mul(W,sqrt(X))', '--calibration', REFERENCE_CALIBRATION];
  const parameters = [
    ...['-B', TASKS_ORACLE, REFERENCE_MODEL],
    ...tasks.map((task) => `${task}=${path.join(TASK_DOCUMENTS, `${task}.jsonl`)}`),
    ...['--details', '--threads', '1', '--shots', String(shots), '--harness', harness],
    ...(limit > 0 ? ['--limit', String(limit)] : []),
    ...(pruned ? prune : []),
  ];
  const options = { maxBuffer: 2 ** 28, env: { ...process.env, OMP_NUM_THREADS: '1' } };
  const { stdout } = await promisify(execFile)(python()!, parameters, options);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as OracleDocument | OracleMeans);
  return [
    lines.filter((line): line is OracleDocument => 'doc' in line),
    lines.filter((line): line is OracleMeans => 'acc' in line),
  ];
}
