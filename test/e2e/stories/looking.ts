import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Stage } from '../main.ts';
import { check, eventually } from '../steps.ts';
import { THEMES } from '../workbench.ts';

/** The menu, the log, and how all of it looks in every kind of theme. */
export async function looking({ steps, workbench, pictures }: Stage): Promise<void> {
  const { page } = workbench;

  await steps.step(workbench, 'the status bar item opens a menu with device, checkpoint, log and restart', async () => {
    await workbench.openFile('metrics.prune');
    const labels = (await workbench.openMenu()).join('\n');
    for (const label of ['Device', 'Checkpoint', 'Show log', 'Restart worker'])
      check(labels.includes(label), `no ${label}: ${labels}`);
    await steps.picture(workbench, 'menu');
    await workbench.closeQuickInput();
  });

  await steps.step(workbench, 'devices say what they can do here', async () => {
    await workbench.command('Espalier: Select Device');
    const texts = await eventually(
      'devices',
      () => workbench.choices(),
      (all) => all.some((text) => text.includes('GFLOP/s')),
      60_000,
    );
    check(texts.some((text) => text.includes('auto')) && texts.some((text) => text.includes('cpu')), texts.join('\n'));
    await steps.picture(workbench, 'devices');
    await workbench.closeQuickInput();
  });

  await steps.step(workbench, 'every theme has its picture', async () => {
    await workbench.clickLens('experiment halves', 'Evaluate');
    await workbench.annotated('experiment halves', /^50 %: wanda/, 90_000);
    // A change makes one result stale; a failure stands in the other file.
    await workbench.goTo(8);
    await page.keyboard.press('End');
    await page.keyboard.type(' ^ 2');
    await page.keyboard.press('Escape');
    await workbench.annotated('metric magnitude', /^stale/);
    for (const [name, theme] of Object.entries(THEMES)) {
      await workbench.chooseTheme(theme);
      await new Promise((resolve) => setTimeout(resolve, 400));
      await steps.picture(workbench, `theme ${name}`);
    }
    await workbench.goTo(8, 'metric magnitude = W ^ 2'.length + 1);
    for (let i = 0; i < 4; i++) await page.keyboard.press('Backspace');
    await workbench.annotated('metric magnitude', /^ppl/);
  });

  await steps.step(workbench, 'the picture of the README', async () => {
    await page.keyboard.press('Control+s');
    await workbench.command('View: Close Other Editors in Group');
    await workbench.command('View: Toggle Primary Side Bar Visibility');
    // At the resolution of a good screen.
    const session = await page.context().newCDPSession(page);
    await session.send('Emulation.setDeviceMetricsOverride', {
      width: 900,
      height: 560,
      deviceScaleFactor: 1,
      mobile: false,
    });
    await workbench.goTo(4);
    await workbench.annotated('experiment halves', /^50 %/);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const clip = await page.locator('.part.editor').boundingBox();
    check(clip !== null, 'no editor');
    const area = { ...clip!, height: Math.min(clip!.height, 490), scale: 2 };
    const { data } = await session.send('Page.captureScreenshot', { format: 'png', clip: area });
    writeFileSync(path.join(pictures, 'evaluate.png'), Buffer.from(data, 'base64'));
  });
}
