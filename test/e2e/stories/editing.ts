import type { Stage } from '../main.ts';
import { check, eventually } from '../steps.ts';

/** Line of `metric magnitude = W`, after which a metric is typed. */
const MAGNITUDE = 8;

/** Typing a metric: mistakes are underlined and explained, completion and hover help. */
export async function editing({ steps, workbench }: Stage): Promise<void> {
  const { page } = workbench;

  await steps.step(workbench, 'a metric with a mistake is underlined as it is typed, and nothing else is', async () => {
    await workbench.openFile('metrics.prune');
    await workbench.goTo(MAGNITUDE);
    await page.keyboard.press('End');
    await page.keyboard.type('\n\nmetric mine = W * tnah(X)', { delay: 10 });
    await page.keyboard.press('Escape');
    await eventually(
      'one underlined stretch',
      () => workbench.errors(),
      (count) => count === 1,
    );
  });

  await steps.step(workbench, 'hover tells the mistake and the nearest spelling', async () => {
    await workbench.hoverWord('metric mine', 'tnah', /tnah.*tanh/s);
    await steps.picture(workbench, 'mistake');
    await page.keyboard.press('Escape');
  });

  await steps.step(workbench, 'a metric with a mistake cannot be evaluated', async () => {
    await workbench.lens('metric magnitude', 'Evaluate');
    check(!(await workbench.hasLens('metric mine', 'Evaluate')), 'there is a lens above it');
  });

  await steps.step(workbench, 'completion offers operations and operands', async () => {
    for (const letter of 'tnah(X)') await page.keyboard.press('Backspace', { delay: letter.length });
    await page.keyboard.type('ta', { delay: 40 });
    await workbench.complete(/^tanh/);
    await steps.picture(workbench, 'completion');
    await page.keyboard.press('Enter');
    await eventually(
      'tanh in the text',
      () => workbench.lines(),
      (lines) => lines.some(({ text }) => text.startsWith('metric mine = W * tanh')),
    );
  });

  await steps.step(workbench, 'mended, it is no longer underlined and can be evaluated', async () => {
    await page.keyboard.press('Escape');
    const line = (await workbench.lines()).find(({ text }) => text.startsWith('metric mine'))!.text;
    await page.keyboard.type(line.endsWith('(') ? 'X)' : line.endsWith(')') ? 'X' : '(X)');
    await page.keyboard.press('Escape');
    await eventually(
      'no underlined stretch',
      () => workbench.errors(),
      (count) => count === 0,
    );
    await workbench.lens('metric mine', 'Evaluate');
  });

  await steps.step(workbench, 'hover explains an operation with its formula', async () => {
    await workbench.hoverWord('metric wanda', 'sqrt', /sqrt\(\|x\|\)/);
    await steps.picture(workbench, 'formula');
    await workbench.press('Control+s');
  });
}
