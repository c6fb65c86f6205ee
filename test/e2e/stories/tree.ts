import type { FrameLocator, Page } from 'playwright-core';
import type { Stage } from '../main.ts';
import { check, eventually, insist } from '../steps.ts';
import { THEMES } from '../workbench.ts';
import type { Workbench } from '../workbench.ts';

/** Lines of trees.prune. */
const LINE = { energy: 7, mine: 10 };

/** The tree preview: in step with the cursor in both directions, canonical form, statistics on a layer, themes, reload. */
export async function tree(stage: Stage): Promise<void> {
  const { steps, workbench } = stage;
  const { page } = workbench;
  const view = viewOf(page);
  const outlined = (label: string): Promise<unknown> =>
    eventually(
      `the outlined node ${label}`,
      () => view.locator('.node.outlined .name').allInnerTexts(),
      (labels) => labels.join() === label,
    );

  await steps.step(workbench, 'Tree opens the syntax tree beside the editor, without any statistics', async () => {
    await workbench.openFile('trees.prune');
    await workbench.clickLens('metric mine', 'Tree');
    await eventually(
      'the nodes',
      () => labels(view),
      (all) => all.join(' ') === 'mms add mul abs mul W W mms X tanh mul W power X 0.5',
      60_000,
    );
    check((await view.locator('h1').innerText()) === 'mine', 'the title is another');
    check((await view.locator('.node .reference').allInnerTexts()).join() === 'energy,half', 'references are not told');
    check((await view.locator('.notices').innerText()).includes('press Statistics'), 'no hint what to do');
    check((await view.locator('.histogram').count()) === 0, 'there are statistics already');
    check(await isWhole(view), 'root or leaves are cut off');
    await steps.picture(workbench, 'tree');
  });

  await steps.step(
    workbench,
    'a narrow window has its root, or the whole tree; a size that was chosen stays',
    async () => {
      await page.setViewportSize({ width: 900, height: 600 });
      const rooted = (): Promise<boolean> => isWhole(view, 1);
      const whole = (): Promise<boolean> => isWhole(view);
      try {
        await eventually('the root', rooted, Boolean);
        await workbench.command('View: Toggle Primary Side Bar Visibility');
        await eventually('the whole tree', whole, Boolean);
        await steps.picture(workbench, 'tree narrow');
        const fit = view.getByRole('button', { name: 'Fit', exact: true });
        check((await fit.getAttribute('aria-pressed')) === 'true', 'it does not fit from the beginning');
        await view.getByRole('button', { name: 'Larger' }).click();
        await view.getByRole('button', { name: 'Larger' }).click();
        const chosen = await scaleOf(view);
        check((await fit.getAttribute('aria-pressed')) === 'false', 'it still fits');
        await workbench.goTo(LINE.energy, columnOf('metric energy = a'));
        await view.locator('h1', { hasText: 'energy' }).waitFor();
        check((await scaleOf(view)) === chosen, 'another metric has another size');
        await workbench.goTo(LINE.mine, columnOf('metric mine = mms(ene'));
        await view.locator('h1', { hasText: 'mine' }).waitFor();
        await fit.click();
        await eventually('the whole tree again', whole, Boolean);
      } finally {
        await page.setViewportSize({ width: 1280, height: 800 });
      }
      await workbench.command('View: Toggle Primary Side Bar Visibility');
    },
  );

  await steps.step(workbench, 'the node under the cursor is outlined, and another metric is followed', async () => {
    await page.locator('.tab[data-resource-name="trees.prune"]').click();
    await workbench.goTo(LINE.mine, columnOf('metric mine = mms(energy + ta'));
    await outlined('tanh');
    await workbench.goTo(LINE.mine, columnOf('metric mine = mms(energy + tanh(W * X ^ ha'));
    await outlined('0.5');
    await workbench.goTo(LINE.energy, columnOf('metric energy = a'));
    await outlined('abs');
    await view.locator('h1', { hasText: 'energy' }).waitFor();
    await workbench.goTo(LINE.mine, columnOf('metric mine = mms(ene'));
    // What a reference stands for has the place of the reference, the outermost of it first.
    await outlined('mul');
    await view.locator('.node.outlined .reference', { hasText: 'energy' }).waitFor();
  });

  await steps.step(workbench, 'a click on a node selects its text', async () => {
    await selects(workbench, LINE.mine, 'X ^ half', () => view.locator('.node', { hasText: 'power' }).click());
    await outlined('power');
    await selects(workbench, LINE.mine, 'energy', () => view.getByRole('treeitem', { name: 'abs of mul' }).click());
    // It stays the one that was clicked, though the whole reference has the same text.
    await outlined('abs');
  });

  await steps.step(workbench, 'every node is reached by the keyboard, and read by what it is', async () => {
    const root = view.getByRole('treeitem').first();
    const press = async (...keys: string[]): Promise<void> => {
      for (const key of keys) await page.keyboard.press(key);
    };
    // Each way begins at the root, where it can begin again.
    const reads = (label: string, ...keys: string[]): Promise<void> =>
      insist(
        `“${label}” read after ${keys.join(', ')}`,
        async () => {
          await root.click();
          await press(...keys);
        },
        async () => (await focusedLabel(view)) === label,
      );
    await reads('add of mul and tanh, a matrix', 'ArrowRight');
    await reads('tanh of mul, a matrix', 'ArrowRight', 'ArrowRight', 'ArrowDown');
    await reads('add of mul and tanh, a matrix', 'ArrowRight', 'ArrowRight', 'ArrowDown', 'ArrowLeft');
    await reads('0.5, stands for half, a number', 'End');
    await reads('mms of add, a matrix', 'End', 'Home');
    await reads('tanh of mul, a matrix', 'ArrowRight', 'ArrowRight', 'ArrowDown');
    await selects(workbench, LINE.mine, 'tanh(W * X ^ half)', () =>
      view.getByRole('treeitem', { name: 'tanh of mul' }).press('Enter'),
    );
    await eventually(
      'the keyboard in the editor',
      () => workbench.isKeyboardInText(),
      (isThere) => isThere,
    );
  });

  await steps.step(workbench, 'it follows what is typed, and keeps the last good tree meanwhile', async () => {
    await workbench.goTo(LINE.mine, columnOf('metric mine = mms('));
    await page.keyboard.type('abs(');
    await page.keyboard.press('Escape');
    await view.locator('.notice.stale').waitFor();
    check((await labels(view))[0] === 'mms', 'the last good tree is gone');
    await steps.picture(workbench, 'tree stale');
    await page.keyboard.press('End');
    await page.keyboard.type(')');
    await view.locator('.notice.stale').waitFor({ state: 'detached' });
    await eventually(
      'the new tree',
      () => labels(view),
      (all) => all.slice(0, 2).join() === 'mms,abs',
    );
    await page.keyboard.press('Backspace');
    await workbench.goTo(LINE.mine, columnOf('metric mine = mms('));
    for (const each of 'abs(') await page.keyboard.press('Delete', { delay: each.length });
    await eventually(
      'the tree as it was',
      () => labels(view),
      (all) => all.slice(0, 2).join() === 'mms,add',
    );
  });

  await steps.step(workbench, 'the canonical form says what leads to it', async () => {
    await view.getByRole('button', { name: 'Canonical' }).click();
    await eventually(
      'a tree without mms at the root',
      () => labels(view),
      (all) => all[0] === 'add',
    );
    check((await view.locator('.notice li').allInnerTexts()).join().includes('mms'), 'the steps are not told');
    await steps.picture(workbench, 'tree canonical');
    await view.getByRole('button', { name: 'As written' }).click();
  });

  await steps.step(workbench, 'after an evaluation every node shows what it computes on a layer', async () => {
    await page.locator('.tab[data-resource-name="trees.prune"]').click();
    await workbench.press('Control+s');
    await workbench.clickLens('metric mine', 'Evaluate');
    await view.locator('.node .histogram').first().waitFor({ timeout: 60_000 });
    await eventually(
      'nodes with numbers',
      () => spokenLabels(view),
      (all) => /^mms of add, 256 by 256, from 0 to 1, mean 0[.]\d+$/.test(all[0] ?? ''),
    );
    const all = await spokenLabels(view);
    check(
      all.some((text) => /^X, a row of 256, from [\d.e−]+ to [\d.e−]+, mean/.test(text)),
      all.join('\n'),
    );
    await steps.picture(workbench, 'tree statistics');
  });

  await steps.step(workbench, 'another layer is one choice away', async () => {
    await view.getByLabel('Layer').selectOption({ label: 'mlp.down_proj · block 6' });
    await eventually(
      'the other layer’s shape',
      () => spokenLabels(view),
      (all) => all[0]?.startsWith('mms of add, 256 by 688') ?? false,
      60_000,
    );
  });

  await steps.step(workbench, 'values that are not finite are marked, the formula may be edited', async () => {
    await workbench.goTo(LINE.mine + 2, columnOf('metric wild = W /'));
    await eventually(
      'warnings',
      () => view.locator('.node.warns .warning').allInnerTexts(),
      (all) => all.length > 0 && all.every((text) => text.includes('not finite')),
      60_000,
    );
    await steps.picture(workbench, 'tree not finite');
    await workbench.goTo(LINE.mine, columnOf('metric mine = mms(energy + ta'));
    await outlined('tanh');
  });

  await steps.step(workbench, 'the tree in every kind of theme, top down too', async () => {
    for (const [name, theme] of Object.entries(THEMES)) {
      await workbench.chooseTheme(theme);
      await view.getByRole('button', { name: name === 'light' ? 'Top down' : 'Left to right' }).click();
      await view.getByRole('button', { name: 'Fit' }).click();
      await new Promise((resolve) => setTimeout(resolve, 500));
      await steps.picture(workbench, `tree ${name}`);
    }
  });

  await steps.step(workbench, 'after a reload of the window the preview is there again', async () => {
    const topDown = view.getByRole('button', { name: 'Top down' });
    await view.getByRole('button', { name: 'Smaller' }).click();
    const size = await scaleOf(view);
    await topDown.click();
    await topDown.and(view.locator('[aria-pressed="true"]')).waitFor();
    await workbench.command('Developer: Reload Window');
    await page
      .locator('.monaco-workbench .part.statusbar')
      .waitFor({ state: 'detached' })
      .catch(() => undefined);
    await page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 60_000 });
    await eventually(
      'the tree',
      () => labels(view),
      (all) => all.slice(0, 2).join() === 'mms,add',
      60_000,
    );
    check((await topDown.getAttribute('aria-pressed')) === 'true', 'the direction is forgotten');
    check((await scaleOf(view)) === size, 'the size is forgotten');
    await steps.picture(workbench, 'tree restored');
    await workbench.closeEditors();
  });
}

/** In a window that is not trusted there is a tree, and a word on what it lacks. */
export async function restrictedTree({ steps, workbench, workers }: Stage): Promise<void> {
  const view = viewOf(workbench.page);
  await steps.step(workbench, 'Tree works in a restricted window, and says what needs trust', async () => {
    await workbench.clickLens('metric wanda', 'Tree');
    await eventually(
      'the nodes',
      () => labels(view),
      (all) => all.join(' ') === 'mul W sqrt X',
      60_000,
    );
    check((await view.locator('.notices').innerText()).includes('that you trust'), 'trust is not explained');
    check(workers().length === 0, 'a worker runs in a restricted window');
    await workbench.closeTab('Tree: wanda');
    await workbench.openFile('metrics.prune');
  });
}

/** The page inside the preview, the view that was opened last. */
export function viewOf(page: Page): FrameLocator {
  return page.locator('iframe.webview.ready').last().contentFrame().frameLocator('#active-frame');
}

/** Whether every node is inside what is seen, or so many of them from the root on. */
function isWhole(view: FrameLocator, count?: number): Promise<boolean> {
  return view.locator('.canvas').evaluate((canvas, most) => {
    const room = canvas.getBoundingClientRect();
    return [...canvas.querySelectorAll('.node')].slice(0, most).every((node) => {
      const { left, right, top, bottom } = node.getBoundingClientRect();
      return left >= room.left && right <= room.right + 1 && top >= room.top && bottom <= room.bottom + 1;
    });
  }, count);
}

/** How large the tree is drawn, as the page's style says it. */
function scaleOf(view: FrameLocator): Promise<string> {
  return view.locator('.canvas .tree').evaluate((element) => element.style.transform);
}

function labels(view: FrameLocator): Promise<string[]> {
  return view.locator('.node .name').allInnerTexts();
}

function spokenLabels(view: FrameLocator): Promise<string[]> {
  return view.getByRole('treeitem').evaluateAll((nodes) => nodes.map((node) => node.getAttribute('aria-label') ?? ''));
}

function focusedLabel(view: FrameLocator): Promise<string> {
  return view.locator('body').evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
}

/** Behind the last character of this beginning of a line. */
function columnOf(beginning: string): number {
  return beginning.length + 1;
}

/** Does what selects a text on a line until exactly as much is selected there, by what the status bar says. */
async function selects(workbench: Workbench, line: number, text: string, act: () => Promise<void>): Promise<void> {
  await insist(
    `“${text}” selected`,
    async () => {
      await act();
      // With the focus in the preview the status bar says nothing of the editor.
      await workbench.press('Control+1');
    },
    async () => {
      const place = await workbench.cursor();
      return place.startsWith(`Ln ${line},`) && place.endsWith(`(${text.length} selected)`);
    },
  );
}
