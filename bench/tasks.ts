/**
 * Tasks, ours against the peer's oracle, each in a process of its own, over all real documents at no shots:
 * `npm run bench:tasks -- [--task NAME]… [--limit N] [--threads N] [--alone] [--processor] [--json]`. With
 * `--processor` it counts seconds of processor, which say more on a busy machine. `--shape 7b`
 * estimates the seven tasks whole, at the shape of LLaMA-7B.
 */
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine } from '../src/engine/engine.ts';
import { peakMemory } from '../src/engine/runtime/memory.ts';
import { DEFAULT_SETTINGS } from '../src/experiment/settings.ts';
import { runProcess } from './childProcess.ts';
import { findPeer } from './peer.ts';
import { estimateAtShape, type ShapeEstimate } from './tasksAtShape.ts';
import { SHARED_FILES } from './work.ts';

/** Tokens that the harness feeds a document, and by what factor a common prefix that is fed once makes them fewer (`design/tasks.md`). */
const HARNESS_TOKENS = {
  winogrande: [64, 1.6],
  hellaswag: [344, 2],
  boolq: [442, 1.8],
  arc_easy: [205, 3],
  arc_challenge: [226, 2.9],
  openbookqa: [88, 2.6],
  piqa: [122, 1.4],
  rte: [249, 2],
  mmlu: [544, 4],
} as const;
type Name = keyof typeof HARNESS_TOKENS;

const SHARED = path.dirname(path.dirname(SHARED_FILES.peer));
const documentsOf = (task: string): string => path.join(SHARED, 'data/tasks', `${task}.jsonl`);

interface Run {
  readonly tasks: readonly Name[];
  readonly limit: number;
  readonly threads: number;
  /** Whether seconds are those of the processor, of all threads. */
  readonly processor: boolean;
}

interface Answer {
  readonly seconds: number;
  /** MiB. */
  readonly peak: number;
  /** Fed, by task, and documents. */
  readonly tasks: readonly { readonly task: Name; readonly tokens: number; readonly documents: number }[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      task: { type: 'string', multiple: true },
      limit: { type: 'string', default: '0' },
      threads: { type: 'string', default: String(os.availableParallelism()) },
      alone: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      processor: { type: 'boolean', default: false },
      run: { type: 'string' },
      shape: { type: 'string' },
    },
  });
  if (values.run !== undefined) {
    console.log(JSON.stringify(await measureOurs(JSON.parse(values.run) as Run)));
    return;
  }
  if (values.shape !== undefined) {
    if (values.shape !== '7b') throw new Error(`expected the shape 7b, got ${values.shape}`);
    const estimate = await estimateAtShape(values.shape, Number(values.threads), SHARED_FILES.model, documentsOf);
    if (values.json) console.log(JSON.stringify(estimate));
    else printEstimate(estimate);
    return;
  }
  const tasks = (values.task ?? Object.keys(HARNESS_TOKENS)) as Name[];
  const { processor } = values;
  const run = { tasks, limit: Number(values.limit), threads: Number(values.threads), processor };
  const { answer } = await runProcess(process.execPath, [process.argv[1]!, '--run', JSON.stringify(run)]);
  const ours = answer as unknown as Answer;
  const peer = values.alone ? undefined : await findPeer();
  if (peer && 'missing' in peer) console.log(`without the peer: ${peer.missing}`);
  const theirs = peer && 'python' in peer ? await measurePeer(peer.python, run) : undefined;
  if (values.json) console.log(JSON.stringify({ ...run, ours, peer: theirs }));
  else print(run, ours, theirs);
}

async function measureOurs({ tasks, limit, threads, processor }: Run): Promise<Answer> {
  const engine = createEngine();
  const [begin, began] = [process.cpuUsage(), performance.now()];
  const [result] = await engine.evaluate({
    model: SHARED_FILES.model,
    tasks: {
      list: tasks.map((task) => ({ task, shots: 0, limit, documents: documentsOf(task) })),
      ...({ harness: '0.4', beginning: 'none' } as const),
    },
    evaluations: [],
    settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads },
  });
  const { user, system } = process.cpuUsage(begin);
  const wall = (performance.now() - began) / 1000;
  await engine.dispose();
  return {
    seconds: processor ? (user + system) / 1e6 : wall,
    peak: peakMemory() / 2 ** 20,
    tasks: result!.tasks!.map(({ task, tokens, documents }) => ({ task: task as Name, tokens, documents })),
  };
}

/** Prompts, tokens and the model, as ours. */
async function measurePeer(python: string, { tasks, limit, threads, processor }: Run): Promise<Omit<Answer, 'tasks'>> {
  const parameters = [SHARED_FILES.model, ...tasks.map((task) => `${task}=${documentsOf(task)}`)];
  const asked = [...parameters, '--threads', String(threads), ...(limit > 0 ? ['--limit', String(limit)] : [])];
  const { answer } = await runProcess(python, [
    '-B',
    '-c',
    PEER,
    path.dirname(SHARED_FILES.peer),
    processor ? 'process_time' : 'perf_counter',
    ...asked,
  ]);
  return answer as unknown as Answer;
}

const PEER = `
import io, json, resource, sys, time, contextlib
sys.path.insert(0, sys.argv.pop(1))
clock = getattr(time, sys.argv.pop(1))
import tasks_reference
begin = clock()
with contextlib.redirect_stdout(io.StringIO()):
    tasks_reference.main()
print(json.dumps({'seconds': clock() - begin, 'peak': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
`;

function print({ processor }: Run, ours: Answer, peer: Omit<Answer, 'tasks'> | undefined): void {
  console.log('tokens a document      ours   prefix once   harness');
  for (const { task, tokens, documents } of ours.tasks) {
    const [harness, factor] = HARNESS_TOKENS[task];
    const columns = [tokens / documents, harness / factor, harness].map((value) => value.toFixed(1).padStart(10));
    console.log(`${task.padEnd(16)} ${columns.join('    ')}`);
  }
  console.log(
    `seconds${processor ? ' of processor' : '             '}   ${ours.seconds.toFixed(1)}${peer ? `, peer ${peer.seconds.toFixed(1)}` : ''}`,
  );
  console.log(`peak memory            ${ours.peak.toFixed(0)} MiB${peer ? `, peer ${peer.peak.toFixed(0)} MiB` : ''}`);
  if (peer) console.log(`${(peer.seconds / ours.seconds).toFixed(2)} × the peer’s speed`);
}

function printEstimate({ blocks, tokens, asked, block, head, states, ...estimate }: ShapeEstimate): void {
  const hours = (seconds: number): string => `${(seconds / 3600).toFixed(1)} h`;
  console.log(
    `seven tasks whole      ${(tokens / 1e6).toFixed(2)} million tokens, ${asked.toFixed(0)} rows of the head`,
  );
  console.log(`one block, ${block.tokens} tokens  ${block.seconds.toFixed(2)} s of processor`);
  console.log(`head, ${head.rows} rows        ${head.seconds.toFixed(2)} s of processor`);
  console.log(
    `one model, ${blocks} blocks   ${hours(estimate.seconds)} of processor; preflight ${hours(estimate.preflightSeconds)}`,
  );
  console.log(`hidden states          ${(states / 1e9).toFixed(1)} GB`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
