import { availableParallelism, loadavg } from 'node:os';
import { benchContext } from './benchContext.ts';
import { type BenchOptions, readBenchOptions } from './benchOptions.ts';
import { runChild } from './child.ts';
import { runComparison } from './comparison.ts';
import { missingFor, PART_NAMES, PARTS, partsOf } from './parts.ts';
import { rowJson, rowTable } from './report.ts';
import type { Row } from './report.ts';

const USAGE = `npm run bench [-- --only NAME,…] [--rounds N] [--threads N] [--processor] [--json]

Runs our engine and the fastest peer that comes to the same value (PyTorch, ../shared/peer/reference.py, or llama.cpp) on the same
work in turn, each time in a fresh process, and prints medians over the rounds; then the figures that are measured against a limit
instead of a peer. Ratios are the peer's figure over ours: above 1 we are faster, or smaller. With --processor seconds of processor
are counted, of all threads. With --json one object a line: work, ours, peer, ratio, unit, against, best, goal, range, verdict.

Names, or what they begin with: ${PART_NAMES.join(', ')}.
Without --only all but growth.`;

async function main(options: BenchOptions): Promise<void> {
  const parts = partsOf(options.only);
  if ('unknown' in parts) {
    console.error(`--only knows no ${parts.unknown}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  // A minute's load from before our own: two processes that want one core make every ratio a matter of luck.
  const [load = 0] = loadavg();
  if (load > availableParallelism() / 2) note(`this machine is busy (load ${load.toFixed(1)}): figures will be noisy`);
  const context = benchContext(options, note);
  const rows: Row[] = [];
  try {
    for (const name of parts) {
      const missing = missingFor(PARTS[name]);
      if (missing !== undefined) {
        note(`left out: ${name}, which needs the reference checkpoint and its texts (${missing} is not there)`);
        continue;
      }
      const found = await PARTS[name].rows(context);
      rows.push(...found);
      if (options.json) for (const row of found) console.log(rowJson(row));
    }
  } finally {
    await context.models.dispose();
  }
  if (!options.json) console.log(rowTable(rows));
}

function note(line: string): void {
  console.error(`bench: ${line}`);
}

const options = readBenchOptions(USAGE);
runComparison(options.child === undefined ? main(options) : runChild(options.child));
