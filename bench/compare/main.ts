import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { CurveReader } from '../../src/runs/curveReader.ts';
import { JOURNAL_FILE } from '../../src/runs/runFolder.ts';
import { differentRuns, writeRun } from '../../test/support/differentRuns.ts';

async function main(): Promise<void> {
  const root = mkdtempSync(path.join(tmpdir(), 'espalier-compare-'));
  try {
    const runs = [];
    for (const [i, run] of (await differentRuns(10_000)).entries())
      runs.push(await writeRun(root, run, new Date(Date.UTC(2026, 10, 22, 10, i))));
    for (const run of runs) console.log(run.record.plan.kind, statSync(path.join(run.folder, JOURNAL_FILE)).size / 1e6);
    for (let round = 0; round < 3; round++) {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      const began = performance.now();
      const readers = runs.map((run) => new CurveReader(run));
      await Promise.all(readers.map((reader) => reader.look()));
      console.log(
        performance.now() - began,
        delay.max / 1e6,
        readers.map(({ fold, damage }) => [
          fold.curve.points.length,
          fold.curve.end,
          fold.best.slice(0, 40),
          damage?.reason,
        ]),
      );
      delay.disable();
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

void main();
