import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine } from '../../src/engine/engine.ts';
import { formatPerplexity } from '../../src/experiment/format.ts';
import type { MetricSearchPlan } from '../../src/search/metrics/plan.ts';
import { parseSparsity } from '../../src/experiment/sparsity.ts';
import { MeasuredEffects } from './measuredEffects.ts';
import { playArm, type ArmResult } from './arms.ts';
import { plotSeeds } from './plot.ts';
import { studyPlan } from './studyPlan.ts';

const USAGE = `npm run study [-- --seeds 5] [--first 0] [--threads 0] [--population 50] [--generations 20] [--blocks 32] [--sparsity 60%] [--out FOLDER]

Runs the search of ../shared's checkpoint for several seeds, each in three ways: as it is (rankings shared, poor metrics stopped
early), with every candidate evaluated in full, and as random search with the same number of evaluations. Prints a table and the two
ratios that the search is judged by, and writes study.json, study.svg and measurements.jsonl to the folder: measured losses are read
back from there, so that a study that was ended goes on. Evaluations are counted, not timed: it may run while the machine does other work.`;

const { values: options } = parseArgs({
  options: {
    first: { type: 'string', default: '0' },
    seeds: { type: 'string', default: '5' },
    threads: { type: 'string', default: '0' },
    population: { type: 'string', default: '50' },
    generations: { type: 'string', default: '20' },
    blocks: { type: 'string', default: '32' },
    sparsity: { type: 'string', default: '60%' },
    out: { type: 'string', default: path.join('test-results', 'study') },
    help: { type: 'boolean', default: false },
  },
});

/** The best of two arms count as the same when they are this close (relative perplexity). */
const SAME_BEST = 0.005;

async function main(): Promise<void> {
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const sparsity = parseSparsity(options.sparsity);
  if (!sparsity) throw new RangeError(`--sparsity takes 60% or 2:4, not ${options.sparsity}`);
  mkdirSync(options.out, { recursive: true });
  const plan = studyPlan(
    options.out,
    { sparsity, blocks: Number(options.blocks), threads: Number(options.threads) },
    {
      population: Number(options.population),
      generations: Number(options.generations),
    },
  );
  const engine = createEngine({ cacheFolder: path.join(options.out, 'cache') });
  try {
    const opening = await engine.open(plan);
    const effects = new MeasuredEffects(engine, path.join(options.out, 'measurements.jsonl'), opening.fingerprint);
    const baselines = await baselinePerplexities(plan, effects, opening.blocks);
    console.log(
      `dense ${formatPerplexity(opening.densePerplexity)}, ${baselines.map(([name, value]) => `${name} ${value}`).join(', ')}`,
    );
    console.log('seed  arm      candidates  invalid  evaluations  best    formula');
    const results: ArmResult[] = [];
    const first = Number(options.first);
    for (let seed = first; seed < first + Number(options.seeds); seed++) {
      const search = await playArm('search', plan, seed, opening, effects, 0);
      const full = await playArm('in full', plan, seed, opening, effects, 0);
      const random = await playArm('random', plan, seed, opening, effects, search.evaluations);
      for (const result of [search, full, random]) {
        results.push(result);
        console.log(row(result));
      }
      writeFileSync(
        path.join(options.out, 'study.json'),
        `${JSON.stringify({ plan, opening, results }, undefined, 1)}\n`,
      );
      writeFileSync(path.join(options.out, 'study.svg'), plotSeeds(results, opening.densePerplexity, baselines));
    }
    summarise(results);
  } finally {
    await engine.dispose();
  }
}

async function baselinePerplexities(
  { baselines }: MetricSearchPlan,
  effects: MeasuredEffects,
  blocks: number,
): Promise<[name: string, perplexity: string][]> {
  const proposals = baselines.map(({ expression }, index) => ({ id: -1 - index, expression }));
  const outcomes = await effects.measure(proposals, { index: 0, begin: 0, end: blocks });
  return outcomes.map((outcome, index) => [
    baselines[index]!.metric,
    outcome.kind === 'loss' ? formatPerplexity(Math.exp(outcome.loss)) : outcome.reason,
  ]);
}

function row({ seed, arm, counts, evaluations, best, expression }: ArmResult): string {
  const cells = [
    String(seed).padEnd(4),
    arm.padEnd(7),
    String(counts.candidates).padStart(10),
    String(counts.invalid).padStart(7),
    evaluations.toFixed(1).padStart(11),
    formatPerplexity(best).padEnd(6),
    expression,
  ];
  return cells.join('  ');
}

function summarise(results: readonly ArmResult[]): void {
  const of = (arm: ArmResult['arm']): ArmResult[] => results.filter((result) => result.arm === arm);
  const [search, full, random] = [of('search'), of('in full'), of('random')];
  const spent = search.reduce((sum, { evaluations }) => sum + evaluations, 0);
  const fullSpent = full.reduce((sum, { evaluations }) => sum + evaluations, 0);
  const same = search.filter(({ best }, i) => best <= full[i]!.best * (1 + SAME_BEST)).length;
  const won = search.filter(({ best }, i) => best < random[i]!.best).length;
  console.log(
    `evaluations: ${spent.toFixed(1)} of ${fullSpent.toFixed(1)} in full, a share of ${(spent / fullSpent).toFixed(3)} (bar 1/3, stretch 1/10)`,
  );
  console.log(`best within ${SAME_BEST * 100} % of evaluating everything in full: ${same} of ${search.length} seeds`);
  console.log(`better than random search with the same evaluations: ${won} of ${search.length} seeds`);
}

void main();
