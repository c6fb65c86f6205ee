import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine } from '../../src/engine/engine.ts';
import { formatPerplexity } from '../../src/experiment/format.ts';
import type { MetricSearchPlan } from '../../src/search/metrics/plan.ts';
import { parsePrefix } from '../../src/metric/parsePrefix.ts';
import { printInfix } from '../../src/metric/print.ts';
import { parseSparsity } from '../../src/experiment/sparsity.ts';
import { MeasuredEffects } from './measuredEffects.ts';
import { ARMS, playArm, type ArmResult } from './arms.ts';
import { plotSeeds } from './plot.ts';
import { studyPlan } from './studyPlan.ts';
import { UnseenText } from './unseenText.ts';

const USAGE = `npm run study [-- --seeds 5] [--first 0] [--threads 0] [--population 50] [--generations 20] [--blocks 32] [--sparsity 60%] [--arms search,in full,random] [--unseen 0] [--out FOLDER]

Runs the search of ../shared's checkpoint for several seeds, each in several ways: as it is (rankings shared, poor metrics stopped
early), with every candidate evaluated in full, as random search with the same number of evaluations, and, of --arms, with constants
(exponents; constants, which are exponents and factors), again with the same number, or without generations (steady 8, steady 64), with as
many candidates, whose answers come in the order of so many workers (simulated). With --unseen N the best of each is also evaluated on N
blocks of a text that no search sees. Prints a table and the ratios that the search is judged by, and writes study.json, study.svg and measurements.jsonl to the folder: measured losses are read
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
    arms: { type: 'string', default: 'search,in full,random' },
    unseen: { type: 'string', default: '0' },
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
  const arms = ARMS.filter((arm) => options.arms.split(',').includes(arm));
  if (arms[0] !== 'search' || arms.length !== options.arms.split(',').length) {
    throw new RangeError(`--arms takes search and some of ${ARMS.slice(1).join(', ')}, not ${options.arms}`);
  }
  mkdirSync(options.out, { recursive: true });
  const plan = studyPlan(
    options.out,
    { sparsity, blocks: Number(options.blocks), threads: Number(options.threads) },
    {
      population: Number(options.population),
      generations: Number(options.generations),
    },
  );
  const unseen = Number(options.unseen) > 0 ? new UnseenText(plan, Number(options.unseen), options.out) : undefined;
  const engine = createEngine({ cacheFolder: path.join(options.out, 'cache') });
  try {
    const opening = await engine.open(plan);
    const effects = new MeasuredEffects(engine, path.join(options.out, 'measurements.jsonl'), opening.fingerprint);
    const baselines = await baselinePerplexities(plan, effects, opening.blocks);
    console.log(
      `dense ${formatPerplexity(opening.densePerplexity)}, ${baselines.map(([name, value]) => `${name} ${value}`).join(', ')}`,
    );
    console.log('seed  arm        candidates  invalid  evaluations  tuned: evaluated, better  best    unseen  formula');
    const results: StudyResult[] = [];
    const first = Number(options.first);
    for (let seed = first; seed < first + Number(options.seeds); seed++) {
      let budget = 0;
      for (const arm of arms) {
        const played = await playArm(arm, plan, seed, opening, effects, budget);
        if (arm === 'search') budget = played.evaluations;
        const result = { ...played, ...(unseen && { unseen: await unseen.perplexityOf(played.expression) }) };
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
    await unseen?.dispose();
  }
}

/** What an arm came to, with the perplexity of its best on a text that no search sees, where that was asked for. */
type StudyResult = ArmResult & { readonly unseen?: number };

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

function row({ seed, arm, counts, evaluations, tuned, best, unseen, expression }: StudyResult): string {
  const cells = [
    String(seed).padEnd(4),
    arm.padEnd(9),
    String(counts.candidates).padStart(10),
    String(counts.invalid).padStart(7),
    evaluations.toFixed(1).padStart(11),
    `${tuned.all}: ${tuned.evaluated}, ${tuned.better}`.padStart(24),
    formatPerplexity(best).padEnd(6),
    (unseen === undefined ? '–' : formatPerplexity(unseen)).padEnd(6),
    printInfix(parsePrefix(expression)),
  ];
  return cells.join('  ');
}

function summarise(results: readonly StudyResult[]): void {
  const of = (arm: ArmResult['arm']): StudyResult[] => results.filter((result) => result.arm === arm);
  const [search, full, random] = [of('search'), of('in full'), of('random')];
  if (full.length > 0) {
    const spent = search.reduce((sum, { evaluations }) => sum + evaluations, 0);
    const fullSpent = full.reduce((sum, { evaluations }) => sum + evaluations, 0);
    const same = search.filter(({ best }, i) => best <= full[i]!.best * (1 + SAME_BEST)).length;
    console.log(
      `evaluations: ${spent.toFixed(1)} of ${fullSpent.toFixed(1)} in full, a share of ${(spent / fullSpent).toFixed(3)} (bar 1/3, stretch 1/10)`,
    );
    console.log(`best within ${SAME_BEST * 100} % of evaluating everything in full: ${same} of ${search.length} seeds`);
  }
  if (random.length > 0) {
    const won = search.filter(({ best }, i) => best < random[i]!.best).length;
    console.log(`better than random search with the same evaluations: ${won} of ${search.length} seeds`);
  }
  const compared = {
    ...{ exponents: 'none, with the same evaluations', constants: 'none, with the same evaluations' },
    ...{ 'steady 8': 'generations, with the same candidates', 'steady 64': 'generations, with the same candidates' },
  } as const;
  for (const [arm, against] of Object.entries(compared) as [keyof typeof compared, string][]) {
    const pairs = of(arm).map((one, i) => [one, search[i]!] as const);
    if (pairs.length === 0) continue;
    const told = [`fitness ${comparison(pairs, ({ best }) => best)}`];
    if (pairs[0]![0].unseen !== undefined) told.push(`unseen ${comparison(pairs, ({ unseen }) => unseen!)}`);
    console.log(`${arm} against ${against}: ${told.join('; ')}`);
  }
}

/** "−0.31 % on average, lower in 4 of 5 seeds". */
function comparison(
  pairs: readonly (readonly [StudyResult, StudyResult])[],
  of: (result: StudyResult) => number,
): string {
  const changes = pairs.map(([one, other]) => of(one) / of(other) - 1);
  const mean = (100 * changes.reduce((sum, change) => sum + change, 0)) / changes.length;
  const lower = changes.filter((change) => change < 0).length;
  return `${mean < 0 ? '−' : '+'}${Math.abs(mean).toFixed(2)} % on average, lower in ${lower} of ${changes.length} seeds`;
}

void main();
