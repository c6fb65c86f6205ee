import { renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Stage } from '../main.ts';
import { check, eventually } from '../steps.ts';

/** What goes wrong outside: the worker dies, keeps dying, results cannot be written. */
export async function crashing({ steps, workbench, workers, workspace }: Stage): Promise<void> {
  const killAll = (): void => {
    for (const pid of workers()) process.kill(pid, 'SIGKILL');
  };

  await steps.step(workbench, 'kill -9 the worker during an evaluation: the editor says so', async () => {
    await workbench.openFile('long.prune');
    await workbench.clickLens('metric slow', 'Evaluate');
    await workbench.annotated('metric slow', /block \d of \d · \d+ %$/, 90_000);
    await eventually('one worker', workers, (pids) => pids.length === 1);
    killAll();
    const text = await workbench.notification(/Evaluating slow failed.*SIGKILL/s);
    for (const button of ['Evaluate Again', 'Show Log']) check(text.includes(button), `no button ${button}: ${text}`);
    await workbench.annotated('metric slow', /^✗ the worker ended during this evaluation/);
    await steps.picture(workbench, 'killed');
    await workbench.dismissNotifications();
  });

  await steps.step(workbench, 'and the next Evaluate works', async () => {
    await workbench.openFile('metrics.prune');
    await workbench.clickLens('metric mine', 'Evaluate');
    await workbench.annotated('metric mine', /^ppl [\d.]+ +\(dense/, 90_000);
  });

  await steps.step(
    workbench,
    'a worker that keeps dying is given up with Retry, Use CPU and Show Log; Retry works',
    async () => {
      const end = performance.now() + 60_000;
      const told = async (): Promise<boolean> =>
        (await workbench.notifications()).some((text) => text.includes('does not run'));
      while (!(await told()) && performance.now() < end) {
        killAll();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const text = await workbench.notification(/worker does not run/);
      for (const button of ['Retry', 'Use CPU', 'Show Log'])
        check(text.includes(button), `no button ${button}: ${text}`);
      await steps.picture(workbench, 'given-up');
      await workbench.answer(/worker does not run/, 'Retry');
      await eventually(
        'a worker that is ready',
        () => workbench.status(),
        (status) => status.includes('worker is ready'),
        90_000,
      );
      await workbench.clickLens('metric mine', 'Evaluate');
      await workbench.annotated('metric mine', /^ppl [\d.]+ +\(dense/, 90_000);
    },
  );

  await steps.step(workbench, 'a result that cannot be written is shown all the same, and said', async () => {
    const folder = path.join(workspace, '.espalier');
    renameSync(folder, `${folder}.away`);
    // A file where the folder should be: nobody can write there, not even root.
    writeFileSync(folder, '');
    try {
      await workbench.clickLens('metric wanda', 'Evaluate');
      await workbench.notification(/result of wanda could not be kept/, 90_000);
      await workbench.annotated('metric wanda', /^ppl [\d.]+ +\(dense/);
    } finally {
      rmSync(folder);
      renameSync(`${folder}.away`, folder);
    }
    // Those that were kept before are there again.
    await workbench.annotated('metric magnitude', /^ppl [\d.]+ +\(dense/);
    await workbench.dismissNotifications();
  });
}
