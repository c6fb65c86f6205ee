import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createEngine, type Engine } from '../src/engine/engine.ts';
import type { ModelTimes } from '../src/experiment/costSchema.ts';
import { formatPerplexity } from '../src/experiment/format.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../src/experiment/planSchema.ts';
import { defaultsOf } from '../src/experiment/settingRow.ts';
import { DEFAULT_SETTINGS } from '../src/experiment/settings.ts';
import { UNIFORM } from '../src/experiment/structure.ts';
import { startFreshEngine } from '../src/protocol/freshEngine.ts';
import { forkWorker } from '../src/protocol/workerProcess.ts';
import { evaluationWith, measurable } from '../src/search/rates/configuration.ts';
import { EVOPRESS_SETTINGS, type EvoPressSettings } from '../src/search/rates/evopress/settings.ts';
import type { RateSearchPlan } from '../src/search/rates/plan.ts';
import { runRateSearch } from '../src/search/rates/runRateSearch.ts';
import { generateModel } from './generatedModel.ts';
import { SHARED_FILES } from './work.ts';

const USAGE = `npm run bench:budget [-- --model 6m] [--times 1.5] [--threads N] [--rounds 9] [--seed 0]

Rates for \`at: 1.5x faster\`, found by EvoPress (Wanda-sp), and uniform ones of the same budget: predicted and measured speed, and perplexity. On the
trained reference checkpoint (6m), where a perplexity says something, and on a generated 110m, where it does not. The bar: the speed that was
asked for within 5 %, and on 6m a lower perplexity than uniform rates'.`;

const BAR = 0.05;
const [BATCH, LENGTH] = [4, 256];

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    times: { type: 'string', default: '1.5' },
    threads: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '9' },
    seed: { type: 'string', default: '0' },
    help: { type: 'boolean', default: false },
  },
});
const [times, threads, rounds, seed] = [options.times, options.threads, options.rounds, options.seed].map(Number) as [
  number,
  number,
  number,
  number,
];

interface Inputs {
  readonly model: string;
  /** What the search sees, what components are scored on, and what only the results are evaluated on. */
  readonly fitness: string;
  readonly calibration: string;
  readonly text: string;
}

/** How much of the texts, and how long it is searched. */
interface Effort {
  readonly blocks: number;
  readonly evaluated: number;
  readonly samples: number;
  readonly search: Pick<EvoPressSettings, 'offspring' | 'generations' | 'rounds' | 'survivors'>;
}

const EFFORTS = {
  '6m': {
    ...{ blocks: 16, evaluated: 64, samples: 16 },
    search: { offspring: 16, generations: 20, rounds: [2, 8, 16], survivors: [4, 2, 1] },
  },
  '110m': {
    ...{ blocks: 2, evaluated: 4, samples: 4 },
    search: { offspring: 6, generations: 3, rounds: [1, 2], survivors: [2, 1] },
  },
} as const satisfies Readonly<Record<string, Effort>>;

const BUDGET = { kind: 'budget', budget: { quantity: 'prefill', times } } as const;
const SCORE = { kind: 'method', method: 'wanda-sp' } as const;
const machine = { device: 'cpu', precision: 'float32', threads } as const;

async function findRates(
  engine: Engine,
  { model, fitness, calibration }: Inputs,
  { blocks, samples, search }: Effort,
  measured: ModelTimes,
): Promise<PlannedEvaluation> {
  const plan: RateSearchPlan = {
    ...{ kind: 'rates', name: 'evopress', model, text: fitness, calibration, times: measured },
    sparsity: BUDGET,
    target: { kind: 'structure', name: 'wanda-sp', score: SCORE },
    baselines: [{ name: 'uniform', rates: UNIFORM }],
    search: { ...defaultsOf(EVOPRESS_SETTINGS), ...search, seed },
    settings: { ...DEFAULT_SETTINGS, ...machine, length: LENGTH, blocks, samples },
  };
  const opening = await engine.open(plan);
  const { finalists } = await runRateSearch(
    plan,
    {
      measure: async (configurations, { begin, end }) => {
        const candidates = configurations.map((one) => measurable(one, opening.components));
        return (await engine.measure({ candidates, on: { kind: 'blocks', begin, end } })).map(({ answer }) => answer);
      },
      ask: () => {
        throw new Error('EvoPress asks no language model');
      },
      emit: () => Promise.resolve(),
    },
    { opening },
  );
  return evaluationWith(plan, finalists[0]!, opening.components);
}

async function run(name: keyof typeof EFFORTS, engine: Engine, inputs: Inputs, root: string): Promise<void> {
  const effort = EFFORTS[name];
  const { model, text, calibration } = inputs;
  const conditions = { batch: BATCH, length: LENGTH, settings: machine };
  const costs = await engine.costs({ ...conditions, model, times: 'anew' });
  log(`bench: ${name}: costs measured`);
  const found = await findRates(engine, inputs, effort, costs.times!);
  log(`bench: ${name}: rates found`);
  const uniform = {
    metric: 'uniform',
    structure: { kind: 'scored', score: SCORE, rates: UNIFORM },
    sparsity: BUDGET,
  } as const satisfies PlannedEvaluation;
  const settings = {
    ...DEFAULT_SETTINGS,
    ...machine,
    ...{ length: LENGTH, blocks: effort.evaluated, samples: effort.samples },
  };
  const models = [model];
  const perplexities: number[] = [];
  for (const evaluation of [uniform, found]) {
    const plan: EvaluationPlan = {
      ...{ model, text, calibration, times: costs.times!, evaluations: [evaluation], settings },
    };
    const folder = join(root, `${name} ${models.length}`);
    const { result } = await engine.exportModel(plan, { folder, format: 'huggingface' });
    models.push(folder);
    perplexities.push(result.perplexity);
    log(`bench: ${name}: ${evaluation.metric}: perplexity ${formatPerplexity(result.perplexity)}`);
  }
  const reports = await engine.measureSpeed({ ...conditions, models, rounds });
  const [, ofUniform, ofFound] = reports.map(({ speedUp }) => speedUp);
  console.log(`${name}, ${times} times as fast asked for, prefill of ${BATCH} × ${LENGTH}`);
  for (const [index, row] of ['uniform', 'EvoPress'].entries()) {
    const { speedUp, parameters } = reports[index + 1]!;
    console.log(
      `  ${row.padEnd(9)} measured ${speedUp.toFixed(3)} ×, ${parameters} parameters, perplexity ${formatPerplexity(perplexities[index])}`,
    );
  }
  const isAsked = [ofUniform!, ofFound!].every((speedUp) => Math.abs(speedUp / times - 1) <= BAR);
  const isBetter = perplexities[1]! < perplexities[0]!;
  log(`bench: ${name}: speed within ${100 * BAR} %: ${isAsked ? 'pass' : 'miss'}; better than uniform: ${isBetter ? 'pass' : 'miss'}${name === '110m' ? ' (random weights: it says nothing)' : ''}`); // prettier-ignore
}

async function main(): Promise<void> {
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const worker = fileURLToPath(new URL('worker.cjs', import.meta.url));
  const engine = createEngine({ startFresh: () => startFreshEngine(forkWorker({ file: worker, log }), log) });
  const root = await mkdtemp(join(tmpdir(), 'espalier-bench-'));
  try {
    if (options.model !== '110m') {
      const { model, text, calibration } = SHARED_FILES;
      if (existsSync(model)) await run('6m', engine, { model, text, calibration, fitness: calibration }, root);
      else log('bench: 6m: skipped, the reference checkpoint is missing');
    }
    if (options.model !== '6m') {
      const { folder, text } = await generateModel();
      try {
        await run('110m', engine, { model: folder, text, calibration: text, fitness: text }, root);
      } finally {
        await rm(folder, { recursive: true });
      }
    }
  } finally {
    await engine.dispose();
    await rm(root, { recursive: true });
  }
}

function log(line: string): void {
  console.error(line);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
});
