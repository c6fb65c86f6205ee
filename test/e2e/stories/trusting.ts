import type { Stage } from '../main.ts';
import { check, eventually, insist } from '../steps.ts';
import { restrictedTree } from './tree.ts';

/** A folder that is not trusted yet: reading and editing work, evaluating explains itself. */
export async function trusting(stage: Stage): Promise<void> {
  const { steps, workbench, workers } = stage;
  const { page } = workbench;

  await steps.step(workbench, 'in a restricted window the file is coloured, checked and has its lenses', async () => {
    await workbench.openFile('metrics.prune');
    await workbench.lens('metric wanda', 'Evaluate');
    check((await workbench.errors()) === 0, 'a correct file has errors');
    const colours = (): Promise<number> =>
      page.evaluate(
        () =>
          new Set(
            [...document.querySelectorAll('.editor-instance .view-line span span')].map(
              (span) => getComputedStyle(span).color,
            ),
          ).size,
      );
    await eventually('the colours of the grammar', colours, (count) => count >= 4);
    await eventually(
      'the status bar item',
      () => workbench.status(),
      (text) => text.startsWith('Espalier: auto · tiny'),
    );
  });

  await restrictedTree(stage);

  await steps.step(workbench, 'Evaluate says that it needs trust, and starts nothing', async () => {
    await workbench.clickLens('metric wanda', 'Evaluate');
    await workbench.notification(/workspace that you trust/);
    await steps.picture(workbench, 'restricted');
    check(workers().length === 0, 'a worker runs in a restricted window');
  });

  await steps.step(workbench, 'Manage Trust leads to trusting the folder', async () => {
    await workbench.answer(/workspace that you trust/, 'Manage Trust');
    const restricted = page.locator('.statusbar-item[aria-label^="Restricted Mode"]');
    await insist(
      'the folder trusted',
      () => page.locator('.workspace-trust-editor').getByRole('button', { name: 'Trust', exact: true }).click(),
      async () => (await restricted.count()) === 0,
      { milliseconds: 10_000 },
    );
    await workbench.openFile('metrics.prune');
    await workbench.lens('metric wanda', 'Evaluate');
  });

  await steps.step(workbench, 'the editor says how long activation took', async () => {
    await workbench.command('Developer: Show Running Extensions');
    const entry = page.locator('.runtime-extensions-editor .monaco-list-row', { hasText: 'Espalier' }).first();
    await entry.waitFor();
    const text = await eventually(
      'the time of the activation',
      () => entry.innerText(),
      (row) => /Activation: \d+ms/.test(row),
    );
    const milliseconds = Number(/Activation: (\d+)ms/.exec(text)?.[1]);
    // A figure, not a bar: it depends on what else the machine does.
    console.log(`    activation, loading included: ${milliseconds} ms`);
    await workbench.closeTab('Running Extensions');
  });
}
