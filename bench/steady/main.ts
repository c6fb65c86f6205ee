import { parseArgs } from 'node:util';
import { sum } from '../../src/base/sum.ts';
import type { MetricSearchSettings } from '../../src/search/metrics/settings.ts';
import { runMetricSearch } from '../../src/search/metrics/runMetricSearch.ts';
import { lossOfFitness } from '../../src/search/lifecycle/objective.ts';
import { planOf, simulation } from '../../test/search/metrics/simulation.ts';
import { SimulatedWorkers } from './simulatedWorkers.ts';

const USAGE = `npm run bench:steady [-- --workers 8,64] [--seeds 16] [--population 50] [--generations 20] [--seconds 300] [--probe 5] [--spread 0.1]

What generations cost where many workers share a search, and what a search without them costs: simulated workers, whose time passes as
fast as their answers are computed, on a pruning problem without a model. A candidate on the whole fitness text takes --seconds, a part of it
its share, a probe --probe seconds; each differs by --spread (a standard deviation of the logarithm). Told are the share of the workers'
time that they compute, the hours that the search takes, its evaluations of the whole text, and its best: by how much higher its perplexity
is than that of the best with generations and the same seed, on average, and in how many seeds it is lower. The last row is the search
without generations that has as long as the one with generations took. What the way to a worker and back costs is not in it.`;

const { values: options } = parseArgs({
  options: {
    workers: { type: 'string', default: '8,64' },
    seeds: { type: 'string', default: '16' },
    population: { type: 'string', default: '50' },
    generations: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '300' },
    probe: { type: 'string', default: '5' },
    spread: { type: 'string', default: '0.1' },
    help: { type: 'boolean', default: false },
  },
});

/** Generations that are played, to see what comes of as much time. */
const LONGER = 16;

interface Played {
  readonly busyShare: number;
  readonly seconds: number;
  readonly evaluations: number;
  readonly candidates: number;
  /** Loss of the best on the whole text, in nats. */
  readonly best: number;
}

async function main(): Promise<void> {
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const settings = { population: Number(options.population), generations: Number(options.generations) };
  const seeds = Array.from({ length: Number(options.seeds) }, (_, seed) => seed);
  console.log('workers  evolution              candidates   busy   hours  evaluations  perplexity  lower in');
  for (const workers of options.workers.split(',').map(Number)) {
    const generational: Played[] = [];
    const steady: Played[] = [];
    const asLong: Played[] = [];
    for (const seed of seeds) {
      const one = await play(seed, workers, { ...settings, evolution: 'generational' });
      generational.push(one);
      steady.push(await play(seed, workers, { ...settings, evolution: 'steady-state' }));
      const longer = { ...settings, generations: LONGER * settings.generations, evolution: 'steady-state' } as const;
      asLong.push(await play(seed, workers, longer, one.seconds));
    }
    const told = { generational, 'steady-state': steady, 'steady-state, as long': asLong };
    for (const [name, played] of Object.entries(told)) console.log(row(workers, name, played, generational));
  }
}

/** @param within seconds, after which what is found does not count */
async function play(
  seed: number,
  workers: number,
  search: Partial<MetricSearchSettings>,
  within = Infinity,
): Promise<Played> {
  const problem = simulation(100 + seed);
  const costs = { block: Number(options.seconds) / problem.opening.blocks, probe: Number(options.probe) };
  const pool = new SimulatedWorkers(
    workers,
    { ...costs, spread: Number(options.spread), seed },
    {
      probe: (trials) => Promise.resolve(trials.map(({ expression, against }) => problem.probe(expression, against))),
      measure: (asked, rung) => Promise.resolve(asked.map(({ expression }) => problem.measure(expression, rung))),
    },
  );
  let last: Played | undefined;
  const stop = new AbortController();
  const effects = {
    probe: pool.probe.bind(pool),
    measure: pool.measure.bind(pool),
    singly: pool.singly,
    emit: (event: Parameters<Parameters<typeof runMetricSearch>[1]['emit']>[0]): Promise<void> => {
      if (event.kind === 'generation') {
        const { counts, bestSoFar } = event;
        if (pool.now > within) stop.abort();
        else {
          const best = bestSoFar ? lossOfFitness(bestSoFar.perplexity!, 'perplexity') : Infinity;
          const { candidates, evaluations } = counts;
          last = { busyShare: pool.busyShare, seconds: pool.now, evaluations, candidates, best };
        }
      }
      return Promise.resolve();
    },
  };
  try {
    await runMetricSearch(planOf({ ...search, seed }), effects, { opening: problem.opening, signal: stop.signal });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  return last!;
}

function row(workers: number, name: string, played: readonly Played[], against: readonly Played[]): string {
  const mean = (of: (one: Played) => number): number => sum(played.map(of)) / played.length;
  const changes = played.map(({ best }, i) => Math.exp(best - against[i]!.best) - 1);
  const change = (100 * sum(changes)) / changes.length;
  const lower = changes.filter((each) => each < -1e-9).length;
  const higher = changes.filter((each) => each > 1e-9).length;
  return [
    String(workers).padEnd(7),
    name.padEnd(21),
    mean(({ candidates }) => candidates)
      .toFixed(0)
      .padStart(10),
    mean(({ busyShare }) => busyShare)
      .toFixed(2)
      .padStart(5),
    (mean(({ seconds }) => seconds) / 3600).toFixed(2).padStart(6),
    mean(({ evaluations }) => evaluations)
      .toFixed(0)
      .padStart(11),
    `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(2)} %`.padStart(10),
    `${lower} of ${changes.length}, higher in ${higher}`,
  ].join('  ');
}

void main();
