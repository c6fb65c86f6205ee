import type { Sparsity } from '../src/experiment/sparsitySchema.ts';
import type { WeightUpdate } from '../src/experiment/updates.ts';
import { sweep } from '../src/engine/evaluation/sweep.ts';
import { Pruner } from '../src/engine/pruning/pruner.ts';
import { peakMemory } from '../src/engine/runtime/memory.ts';
import { runProcess } from './childProcess.ts';
import { clockOf } from './clock.ts';
import { openInputs, yieldOnce } from './openInputs.ts';
import { referencePlan, WANDA } from './ours.ts';
import { asRanked } from '../src/experiment/planned.ts';
import { comparedRow, type Row } from './report.ts';
import { LENGTH, SAMPLES, SHARED_FILES } from './work.ts';

/** The whole reference checkpoint pruned to one half and updated, its samples carried along. */
export const MODEL_JOBS = {
  'wanda then sparsegpt': { method: 'sparsegpt', peer: 'sparsegpt=mul(W,sqrt(X))', own: false, nm: '' },
  sparsegpt: { method: 'sparsegpt', peer: 'sparsegpt', own: true, nm: '' },
  'sparsegpt 2:4': { method: 'sparsegpt', peer: 'sparsegpt', own: true, nm: '2:4' },
  'wanda then admm': { method: 'admm', peer: 'admm=mul(W,sqrt(X))', own: false, nm: '' },
} as const satisfies Readonly<Record<string, ModelJob>>;
export type ModelJobName = keyof typeof MODEL_JOBS;

interface ModelJob {
  readonly method: WeightUpdate['method'];
  /** As recovery.py names it. */
  readonly peer: string;
  /** The mask is the update's own. */
  readonly own: boolean;
  readonly nm: '' | '2:4';
}

export interface ModelRun {
  readonly job: ModelJobName;
  readonly threads: number;
  /** Count seconds of processor, of all threads. */
  readonly processor: boolean;
}

interface Answer {
  /** Of the first in a process; of ours with reading weights, compiling programs, and the perplexity of one block. */
  readonly seconds: number;
  /** Of one more in the same process. */
  readonly again: number;
  readonly perplexity: number;
  /** MiB. */
  readonly peak: number;
}

const AGREEMENT = 2e-3;

/** With the settings of their authors, as the peer has them. */
const UPDATE: Readonly<Record<WeightUpdate['method'], WeightUpdate>> = {
  sparsegpt: { method: 'sparsegpt', damping: 0.01, columns: 128 },
  admm: { method: 'admm', damping: 0.1, iterations: 20 },
};

/** Ours against the peer's in float64 and in float32, in turn and each in a fresh process. */
export async function compareModels(
  run: ModelRun,
  rounds: number,
  python: string | undefined,
): Promise<readonly Row[]> {
  const answers: Record<'ours' | 'double' | 'float', Answer[]> = { ours: [], double: [], float: [] };
  for (let round = 0; round < rounds; round++) {
    answers.ours.push(await answerOf(process.execPath, [process.argv[1]!, '--model', JSON.stringify(run)]));
    if (python === undefined) continue;
    for (const type of ['double', 'float'] as const)
      answers[type].push(await answerOf(python, ['-B', '-c', PEER, type, ...peerParameters(run)]));
    const [a, b] = [answers.ours.at(-1)!.perplexity, answers.double.at(-1)!.perplexity];
    if (Math.abs(a / b - 1) > AGREEMENT) throw new Error(`${run.job}: ${a} and ${b}, so times mean nothing`);
  }
  const title = `${run.job}, whole model`;
  const row = (
    what: string,
    unit: string,
    of: (answer: Answer) => number,
    type: 'double' | 'float',
    goal?: Row['goal'],
  ) => comparedRow(`${title}${what}`, unit, answers.ours.map(of), python ? answers[type].map(of) : undefined, goal);
  const seconds = ({ seconds }: Answer): number => seconds;
  return [
    row(', float64', 's', seconds, 'double', { of: 'ratio', bar: 3, stretch: 4 }),
    row(', float32', 's', seconds, 'float'),
    row(' once more, float64', 's', ({ again }) => again, 'double'),
    row(', peak memory', 'MiB', ({ peak }) => peak, 'double', { of: 'ratio', bar: 1, stretch: 2 }),
  ];
}

async function answerOf(command: string, parameters: readonly string[]): Promise<Answer> {
  return (await runProcess(command, parameters)).answer as unknown as Answer;
}

/** In this process. The peer's clock starts when the checkpoint is loaded; ours also covers reading weights, and the head on one block. */
export async function measureModel({ job, threads, processor }: ModelRun): Promise<Answer> {
  const plan = referencePlan('wanda', threads);
  const { inputs, device } = await openInputs({ ...plan, settings: { ...plan.settings, blocks: 1 } });
  const { metric, expression } = asRanked(WANDA, 'measuring an update');
  const { method, own, nm } = MODEL_JOBS[job];
  const sparsity: Sparsity = nm ? { kind: 'n:m', keep: 2, of: 4 } : { kind: 'unstructured', share: 0.5 };
  const prune = async (): Promise<number> => {
    const how = { metric: own ? job : metric, expression: own ? undefined : expression, sparsity };
    const pruner = new Pruner(device, { ...how, group: plan.settings.group, update: UPDATE[method] });
    const { variants } = await sweep(inputs, false, [pruner], yieldOnce);
    const outcome = variants[0]!;
    if (outcome instanceof Error) throw outcome;
    return Math.exp(outcome.loss);
  };
  const now = clockOf(processor);
  const begin = now();
  const perplexity = await prune();
  const first = now();
  await prune();
  return { seconds: first - begin, again: now() - first, perplexity, peak: peakMemory() / 2 ** 20 };
}

function peerParameters({ job, threads, processor }: ModelRun): string[] {
  const { model, text, calibration, peer } = SHARED_FILES;
  const { peer: name, nm } = MODEL_JOBS[job];
  const clock = processor ? 'process_time' : 'time';
  return [peer, model, text, calibration, LENGTH, SAMPLES, threads, clock, name, nm].map(String);
}

/** recovery.py's prune_and_update on the samples, and the perplexity of one block; `float` computes in float32 what it computes in float64. */
const PEER = `
import json, os, resource, sys, time
from types import SimpleNamespace
type, path, folder, text, calibration, length, samples, threads, clock, job, nm = sys.argv[1:]
sys.path.insert(0, os.path.dirname(path))
import torch
import recovery
if type == 'float': torch.Tensor.double = torch.Tensor.float
torch.set_num_threads(int(threads)); T = int(length); n = int(samples); now = getattr(time, clock)
tokenizer = recovery.Tokenizer(folder + '/tokenizer.json')
encode = lambda p: torch.tensor(tokenizer.encode(open(p, encoding='utf8').read()))
cal = encode(calibration); cal = torch.stack([cal[j * (len(cal) // n):][:T] for j in range(n)]); ids = encode(text)[:T][None]
o = SimpleNamespace(sparsity=0.5, nm=tuple(map(int, nm.split(':'))) if nm else None)
kind, _, expression = job.partition('='); seconds = []
for _ in range(2):
    model = recovery.Llama(folder); begin = now()
    recovery.prune_and_update(model, cal, kind, expression, None, o)
    seconds.append(now() - begin)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({'seconds': seconds[0], 'again': seconds[1], 'perplexity': recovery.perplexity(model, ids), 'peak': peak}))
`;
