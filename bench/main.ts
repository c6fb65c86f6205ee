import { existsSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { absoluteRows } from './absolute.ts';
import { runChild } from './child.ts';
import { type Comparison, readComparison, runComparison } from './comparison.ts';
import { measureOurs } from './ours.ts';
import { findPeer, measurePeer } from './peer.ts';
import type { Peer } from './peer.ts';
import { comparedRow, rowJson, rowTable } from './report.ts';
import type { Row } from './report.ts';
import { COMPARED, MEMORY_BARS, SHARED_FILES } from './work.ts';
import type { ComparedWork, Measurement } from './work.ts';

const USAGE = `npm run bench [-- --rounds 5] [--threads N] [--json]

Runs our engine and the peer (../shared/peer/reference.py) on the same work in turn, each time in a fresh process, and prints
medians over the rounds; then the figures that are measured against a limit instead of a peer. Ratios are the peer's figure
over ours: above 1 we are faster, or smaller. With --json one object a line: work, ours, peer, ratio, unit, best, goal, range, verdict.`;

async function main({ rounds, threads, json }: Comparison): Promise<void> {
  const print = (rows: readonly Row[]) => {
    if (json) for (const row of rows) console.log(rowJson(row));
  };
  const rows: Row[] = [];
  for await (const group of benchmark(rounds, threads)) {
    print(group);
    rows.push(...group);
  }
  if (!json) console.log(rowTable(rows));
}

async function* benchmark(rounds: number, threads: number): AsyncGenerator<readonly Row[]> {
  // A minute's load from before our own: two processes that want one core make every ratio a matter of luck.
  const [load = 0] = loadavg();
  if (load > availableParallelism() / 2) note(`this machine is busy (load ${load.toFixed(1)}): figures will be noisy`);
  const missing = Object.values(SHARED_FILES).find((path) => path !== SHARED_FILES.peer && !existsSync(path));
  if (missing === undefined) {
    const peer = await findPeer();
    note('missing' in peer ? `no comparison: ${peer.missing}` : `peer: ${peer.about}`);
    for (const work of COMPARED) yield await compare(work, peer, rounds, threads);
  } else {
    note(`left out: what needs the reference checkpoint and its texts (${missing} is not there)`);
  }
  yield* absoluteRows(rounds, threads, note);
}

/** Ours and the peer's in turn, so that whatever else the machine does meets both alike. */
async function compare(work: ComparedWork, peer: Peer, rounds: number, threads: number): Promise<readonly Row[]> {
  const ours: Measurement[] = [];
  const theirs: Measurement[] = [];
  for (let round = 1; round <= rounds; round++) {
    ours.push(await measureOurs(work.job, threads));
    if (!('missing' in peer)) theirs.push(await measurePeer(peer.python, work.job, threads));
    const [a, b] = [ours.at(-1)!, theirs.at(-1)];
    note(
      `${work.title}, round ${round} of ${rounds}: ${a.seconds.toFixed(2)} s${b ? `, peer ${b.seconds.toFixed(2)} s` : ''}`,
    );
    if (b && !(agree(a.value, b.value) && agree(a.gradient ?? 1, b.gradient ?? 1))) {
      throw new Error(`${work.title}: the two sides disagree, ${a.value} and ${b.value}: their times mean nothing`);
    }
  }
  const row = (suffix: string, unit: string, of: (m: Measurement) => number, goal?: Row['goal']) =>
    comparedRow(`${work.title}${suffix}`, unit, ours.map(of), theirs.length > 0 ? theirs.map(of) : undefined, goal);
  return [
    row('', 's', (m) => m.seconds, { of: 'ratio', bar: work.bar, stretch: work.stretch }),
    row(': whole process', 's', (m) => m.wallSeconds),
    row(': peak memory', 'MiB', (m) => m.peakMemory, { of: 'ratio', ...MEMORY_BARS }),
  ];
}

function agree(a: number, b: number): boolean {
  return Math.abs(a / b - 1) < 1e-3;
}

function note(line: string): void {
  console.error(`bench: ${line}`);
}

const comparison = readComparison(USAGE);
runComparison(comparison.child === undefined ? main(comparison) : runChild(comparison.child));
