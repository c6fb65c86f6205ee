import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { ComparedRuns } from '../../src/runs/comparedRuns.ts';
import { JOURNAL_FILE } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { listRuns } from '../../src/runs/runSummary.ts';
import { differentRuns } from '../../test/support/differentRuns.ts';
import { writeRun } from '../../test/support/writeRun.ts';

const USAGE = `npm run bench:compare [-- --candidates 10000]

Ten runs of every kind and method, each of so many candidates, masks or steps: how long the extension host takes to list them, to read them for
a comparison, and to read them again, and for how long at most it does nothing else meanwhile. On a machine that does other things, too, the
processor's time says what it takes. The page's half is timed by the story \`comparing\` in a real editor.`;

const { values } = parseArgs({
  options: { candidates: { type: 'string', default: '10000' }, help: { type: 'boolean' } },
});

async function main(): Promise<void> {
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const root = mkdtempSync(path.join(tmpdir(), 'espalier-compare-'));
  try {
    const runs: RunFolder[] = [];
    for (const [i, run] of (await differentRuns(Number(values.candidates))).entries())
      runs.push(await writeRun(root, run, new Date(Date.UTC(2026, 10, 22, 10, i))));
    const bytes = runs.reduce((sum, { folder }) => sum + statSync(path.join(folder, JOURNAL_FILE)).size, 0);
    console.log(`${runs.length} runs, journals of ${(bytes / 1e6).toFixed(0)} MB`);
    const titleOf = ({ record }: RunFolder): string => record.plan.name;
    for (let round = 0; round < 3; round++) {
      await measure('list', () => listRuns(root));
      const compared = new ComparedRuns();
      const read = await measure('open', () => compared.read(runs, titleOf));
      await measure('again', () => compared.read(runs, titleOf));
      if (round === 0) console.log(`what the page is sent: ${(JSON.stringify(read).length / 1e3).toFixed(0)} kB`);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function measure<Result>(what: string, act: () => Promise<Result>): Promise<Result> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let [last, longest] = [process.cpuUsage(), 0];
  const timer = setInterval(() => {
    longest = Math.max(longest, processorTime(last));
    last = process.cpuUsage();
  }, 1);
  // Until it has begun to look, it sees nothing.
  delay.enable();
  await new Promise((resolve) => setTimeout(resolve, 20));
  [last, longest] = [process.cpuUsage(), 0];
  delay.reset();
  const before = process.cpuUsage();
  const began = performance.now();
  const result = await act();
  const milliseconds = performance.now() - began;
  const processor = processorTime(before);
  await new Promise((resolve) => setTimeout(resolve, 5));
  delay.disable();
  clearInterval(timer);
  console.log(
    `${what.padEnd(6)} ${milliseconds.toFixed(0).padStart(5)} ms (processor ${processor.toFixed(0)} ms), never blocked for more than ${(delay.max / 1e6).toFixed(0)} ms (processor ${longest.toFixed(0)} ms)`,
  );
  return result;
}

/** Milliseconds of all threads since then. */
function processorTime(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

void main();
