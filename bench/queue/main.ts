/**
 * Queues: `npm run bench:queue -- [--only overhead,busy,kept,efficiency,paper] [--json]`. Redis and PostgreSQL are started on loopback.
 * `overhead`: what a question costs on its way there and back, and questions a second. `busy`: 200 workers that answer after 2 s.
 * `kept`: what a run keeps in Redis. `efficiency`: a search by two workers of a queue against a pool of two. `paper`: a search for metrics at 7B on 1 … 64 GPUs, by a clock
 * (`--candidate 300 --fixed 60 --opening 120 --finalist 600 --spread 0.05 --population 50 --generations 20 --rungs 3`).
 */
import { parseArgs } from 'node:util';
import { hasPostgres, hasRedis, startPostgres, startRedis } from '../../test/support/queueServers.ts';
import type { TestServer } from '../../test/support/queueServers.ts';
import { efficiencyRows } from './efficiency.ts';
import { keptInRedis } from './kept.ts';
import { estimateOnPaper } from './paperEstimate.ts';
import type { Costs } from './paperEstimate.ts';
import { paperTable } from './paperTable.ts';
import { SIMULATED, simulateWorkers } from './simulatedWorkers.ts';
import { busyShare, overhead, throughput } from './transport.ts';

const GPUS = [1, 2, 4, 8, 16, 32, 64];

const PARTS: Readonly<Record<string, (options: Options) => Promise<void>>> = {
  overhead: async ({ report }) => {
    for (const [name, start, isThere] of SERVERS) {
      if (!isThere) report(`${name}: not on this machine`, {});
      else
        await withServer(start, async (server) => {
          for (const [label, bytes] of [
            ['2 kB', 2 << 10],
            ['64 kB', 64 << 10],
          ] as const) {
            const { median, most } = await overhead(server, bytes, 300);
            report(
              `${name}, question of ${label}: ${median.toFixed(2)} ms at the median (bar: 5), ${most.toFixed(2)} at nine of ten`,
              {
                ...{ server: name, bytes, median, most },
              },
            );
          }
          const rate = await throughput(server, 16, 2000);
          report(`${name}, 16 workers: ${rate.toFixed(0)} questions a second`, { server: name, rate });
        });
    }
  },
  busy: async ({ report }) => {
    if (!hasRedis) return;
    await withServer(startRedis, async (server) => {
      const share = await busyShare(server, { workers: 200, processes: 4, takes: 2000, rounds: 10 });
      report(
        `200 workers, questions of 2 s: ${(100 * share.busy).toFixed(1)} % busy (bar: 90); processor of the asker ${share.asker.toFixed(2)}, of Redis ${share.server.toFixed(2)}`,
        { ...share },
      );
    });
  },
  kept: async ({ report }) => {
    if (!hasRedis) return;
    for (const [label, bytes] of [
      ['2 kB', 2 << 10],
      ['64 kB', 64 << 10],
    ] as const) {
      await withServer(startRedis, async (server) => {
        const kept = await keptInRedis(server, bytes, 2000);
        report(
          `2000 questions of ${label}: ${kept.open.toFixed(1)} KiB each while they wait; ${kept.answered.toFixed(1)} MiB and ${kept.keysAnswered} keys when all are answered; ${kept.keysAfter} keys after the run`,
          { bytes, ...kept },
        );
      });
    }
  },
  efficiency: async ({ report }) => {
    if (!hasRedis) return;
    await withServer(startRedis, async (server) => {
      for (const row of await efficiencyRows(server)) {
        const { model, embedded, queue, efficiency } = row;
        report(
          `${model}, the same search: ${embedded.toFixed(1)} s by a pool of two, ${queue.toFixed(1)} s by two workers of the queue: ${efficiency.toFixed(2)} of its pace (bar: 0.9)`,
          { ...row },
        );
      }
    });
  },
  paper: async ({ report, costs, search }) => {
    const estimates = [];
    for (const gpus of GPUS) estimates.push(await estimateOnPaper(gpus, costs, search));
    report(paperTable(estimates).join('\n'), { costs, search, estimates });
  },
};

const SERVERS = [
  ['Redis', startRedis, hasRedis],
  ['PostgreSQL', startPostgres, hasPostgres],
] as const;

interface Options {
  readonly report: (text: string, figures: object) => void;
  readonly costs: Costs;
  readonly search: { readonly population: number; readonly generations: number; readonly rungs: number };
}

async function main(): Promise<void> {
  const number = (text: string): { readonly type: 'string'; readonly default: string } => ({
    type: 'string',
    default: text,
  });
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: Object.keys(PARTS).join(',') },
      json: { type: 'boolean', default: false },
      ...{ candidate: number('300'), fixed: number('60'), probe: number('10'), opening: number('120') },
      ...{ finalist: number('600'), overhead: number('0.005'), spread: number('0.05') },
      ...{ population: number('50'), generations: number('20'), rungs: number('3') },
    },
  });
  const { candidate, fixed, probe, opening, finalist, overhead: way, spread, population, generations, rungs } = values;
  const options: Options = {
    report: (text, figures) => {
      console.log(values.json ? JSON.stringify(figures) : text);
    },
    costs: {
      ...{ candidate: Number(candidate), fixed: Number(fixed), probe: Number(probe), opening: Number(opening) },
      ...{ finalist: Number(finalist), overhead: Number(way), spread: Number(spread) },
    },
    search: { population: Number(population), generations: Number(generations), rungs: Number(rungs) },
  };
  for (const name of values.only.split(',')) {
    const part = PARTS[name];
    if (!part) throw new Error(`there is no part ${name}; there are ${Object.keys(PARTS).join(', ')}`);
    await part(options);
  }
}

async function withServer(start: () => Promise<TestServer>, act: (server: TestServer) => Promise<void>): Promise<void> {
  const server = await start();
  try {
    await act(server);
  } finally {
    await server.dispose();
  }
}

if (process.argv[2] === SIMULATED) void simulateWorkers();
else void main();
