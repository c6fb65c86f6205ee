import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Journal } from '../../../src/runs/journal.ts';
import { createRun, JOURNAL_FILE } from '../../../src/runs/runFolder.ts';
import { syntheticPlan, syntheticSearch } from '../../support/syntheticSearch.ts';
import type { Stage } from '../main.ts';
import { panelOf, pause, progressOf, resume, runsOf } from '../searchPanel.ts';
import { check, eventually, insist } from '../steps.ts';
import { THEMES } from '../workbench.ts';
import { viewOf } from './tree.ts';

/** Searching: from the sample that ships to a candidate in the file with its own number, through a reload of the window. */
export async function searching({ steps, workbench, workers, workspace }: Stage): Promise<void> {
  const { page } = workbench;
  const file = path.join(workspace, 'espalier-sample/metrics.prune');
  const panel = panelOf(workbench);
  const progress = (): Promise<string> => progressOf(panel);
  const candidates = async (): Promise<number> => {
    const text = await panel.locator('.card .title', { hasText: 'Candidates' }).locator('[aria-live]').innerText();
    return Number.parseInt(text, 10);
  };
  await page.setViewportSize({ width: 1280, height: 800 });

  await steps.step(workbench, 'the sample that ships is copied and opened, and evaluates', async () => {
    await workbench.closeEditors();
    // With its icon its commands are there, too.
    await page.locator('.activitybar [aria-label^="Espalier"]').first().waitFor();
    await workbench.command('Espalier: Open the Sample');
    await page.locator('.tab.active[data-resource-name="metrics.prune"]').waitFor();
    check(existsSync(file), 'the sample is not there');
    // Half of its minute is enough here; the editor reads the file again.
    writeFileSync(file, readFileSync(file, 'utf8').replace('generations: 12', 'generations: 7'));
    await workbench.clickLens('metric wanda', 'Evaluate');
    await workbench.annotated('metric wanda', /^ppl [\d.]+ +\(dense/, 60_000);
    await steps.picture(workbench, 'sample evaluated');
  });

  await steps.step(workbench, 'Compare evaluates another metric, and a table of both stays, best first', async () => {
    await workbench.clickLens('metric wanda', 'Compare');
    await workbench.pick('magnitude');
    await page.locator('.quick-input-widget').getByRole('button', { name: 'OK' }).click();
    const tab = page.locator('.tab', { hasText: 'Compared: wanda, magnitude' });
    await tab.waitFor({ timeout: 60_000 });
    const rows = async (): Promise<string[]> =>
      (await workbench.lines()).map(({ text }) => text).filter((text) => /^\| `\w+`/.test(text));
    const [first, second] = (await eventually('both numbers', rows, (all) => all.length === 2)).map((text) =>
      Number.parseFloat(text.split('|')[2]!),
    );
    check(first! < second!, `${first} before ${second}`);
    await steps.picture(workbench, 'compared');
    await page.locator('.codelens-decoration a', { hasText: 'Sort by metric' }).click();
    await eventually('magnitude first', rows, ([top]) => top?.startsWith('| `magnitude`') ?? false);
    // It stays while other things go on.
    await page.locator('.tab[data-resource-name="metrics.prune"]').click();
    check((await tab.count()) === 1, 'the table has vanished');
    await workbench.closeTab('Compared: ');
  });

  await steps.step(workbench, 'Evolve starts a search, and its panel says what is going on', async () => {
    await workbench.goTo(lineOf(file, 'search evolved'));
    // The line has to be where it stays.
    await new Promise((resolve) => setTimeout(resolve, 500));
    // Two clicks would be two searches.
    await workbench.clickLens('search evolved', 'Evolve', { milliseconds: 60_000 });
    await panel.locator('header h1', { hasText: 'evolved' }).waitFor({ timeout: 60_000 });
    await eventually(
      'a word about the start',
      () => panel.locator('.banner').innerText(),
      (text) => /Starting|Running/.test(text),
    );
    await steps.picture(workbench, 'search starting');
    check(runsOf(workspace).length === 1, 'no run, or more than one');
  });

  // The rest is about that search.
  if (runsOf(workspace).length !== 1) return;

  await steps.step(workbench, 'candidates come in live, with generation, pace and time left', async () => {
    await eventually('a generation', progress, (text) => /generation [2-7] \/ 7/.test(text), 180_000);
    await eventually('time left', progress, (text) => text.includes('left'), 60_000);
    await eventually('the first generation', candidates, (count) => count >= 30);
    check((await panel.locator('.bar').count()) === 1, 'no bar of the work done');
    const item = page.locator('.statusbar-item[id*="espalier.searches"]');
    await item.waitFor();
    await steps.picture(workbench, 'search running');
  });

  await steps.step(workbench, 'starting the same search while it runs asks, and opens the one that runs', async () => {
    await workbench.goTo(lineOf(file, 'search evolved'));
    await workbench.clickLens('search evolved', 'Evolve', { milliseconds: 60_000 });
    const dialog = page.locator('.monaco-dialog-box', { hasText: 'evolved is running' });
    await dialog.waitFor({ timeout: 30_000 });
    check((await dialog.innerText()).includes('would ask for the same'), await dialog.innerText());
    await steps.picture(workbench, 'search started twice');
    await dialog.getByRole('button', { name: 'Open the One That Runs' }).click();
    await dialog.waitFor({ state: 'detached' });
    check(runsOf(workspace).length === 1, 'another run was begun');
    check((await page.locator('.tab', { hasText: 'evolved' }).count()) === 1, 'another panel was opened');
  });

  await steps.step(workbench, 'reloading the window in mid-search finds it again, running', async () => {
    const before = await candidates();
    await workbench.reload();
    await panel.locator('header h1', { hasText: 'evolved' }).waitFor({ timeout: 60_000 });
    await eventually('the candidates from before', candidates, (count) => count >= before, 60_000);
    await eventually('the search to go on', candidates, (count) => count > before, 60_000);
    check(runsOf(workspace).length === 1, 'another run was begun');
  });

  await steps.step(workbench, 'Pause ends the process and says so; Resume goes on', async () => {
    await pause(panel, workers);
    await steps.picture(workbench, 'search paused');
    await resume(panel);
  });

  await steps.step(
    workbench,
    'a finished search shows its finalists beside the baselines, on text that it never saw',
    async () => {
      await eventually('finished', progress, (text) => text.startsWith('finished'), 240_000);
      const finalists = panel.locator('section[aria-label="Finalists"]');
      await finalists.waitFor();
      await eventually(
        'finalists and baselines',
        () => finalists.innerText(),
        (text) => ['pruner-zero', 'baseline', 'unseen text', 'dense'].every((part) => text.includes(part)),
      );
      await steps.picture(workbench, 'search finished');
    },
  );

  await steps.step(workbench, 'the table sorts, filters and walks by keyboard', async () => {
    const rows = panel.locator('.rows .row');
    await panel.getByLabel('Filter candidates by outcome').selectOption('full');
    await eventually(
      'those that were evaluated in full',
      () => rows.locator('> :last-child').allInnerTexts(),
      (outcomes) => outcomes.length > 0 && outcomes.every((text) => text === 'in full'),
    );
    const grid = panel.getByRole('grid');
    const [best, second] = await rows.locator('> :first-child').allInnerTexts();
    const selects = (number: string | undefined, key: string): Promise<void> =>
      insist(
        `#${number} selected by ${key}`,
        async () => {
          await grid.press('Home');
          if (key !== 'Home') await grid.press(key);
        },
        async () => (await panel.locator('.row[aria-selected="true"] > :first-child').innerText()) === number,
      );
    await selects(best, 'Home');
    await selects(second, 'ArrowDown');
    await panel.locator('.metric h2', { hasText: `Candidate #${second}` }).waitFor();
    await grid.press('ArrowUp');
    await panel.getByLabel('Filter candidates by outcome').selectOption('any');
  });

  await steps.step(
    workbench,
    'Tree shows a candidate, and what its nodes compute, without touching the file',
    async () => {
      const before = readFileSync(file, 'utf8');
      await panel.locator('.metric').getByRole('button', { name: 'Tree' }).click();
      const tree = viewOf(page);
      await tree.locator('h1', { hasText: /^\w+ #\d+$/ }).waitFor({ timeout: 60_000 });
      await tree.getByRole('button', { name: 'Statistics' }).click();
      await tree.locator('.node .histogram').first().waitFor({ timeout: 60_000 });
      await steps.picture(workbench, 'candidate tree');
      check(readFileSync(file, 'utf8') === before, 'the file has changed');
      await workbench.closeTab('Tree: ');
    },
  );

  await steps.step(
    workbench,
    'Insert writes the best into the file, with where it comes from; Evaluate gives it its number',
    async () => {
      await panel.locator('.metric').getByRole('button', { name: 'Insert' }).click();
      const beginning = await eventually(
        'the metric in the file',
        async () => (await workbench.lines()).find(({ text }) => text.startsWith('metric evolved_'))?.text ?? '',
        (text) => text !== '',
      );
      const name = /metric (\w+)/.exec(beginning)![1]!;
      const comment = (await workbench.lines()).find(({ text }) => text.includes(', candidate '))?.text ?? '';
      check(comment.startsWith('/// (run') && comment.includes(runsOf(workspace)[0]!), comment);
      await steps.picture(workbench, 'candidate in the file');
      await panel.locator('.metric').getByText(`In the file as ${name}`).waitFor();
      await panel.locator('.metric').getByRole('button', { name: 'Evaluate' }).click();
      // Beside a panel there is room for the short form.
      await workbench.annotated(`metric ${name}`, /^[\d.]+ · [+−±]/, 60_000);
      await steps.picture(workbench, 'candidate evaluated');
      await insist(
        'the file on disk',
        () => workbench.press('Control+1', 'Control+s'),
        async () => (await readFile(file, 'utf8')).includes(name),
      );
    },
  );

  await steps.step(workbench, 'a finished run opens from the Runs view, from its journal alone', async () => {
    await workbench.closeEditors();
    await page.locator('.activitybar [aria-label^="Espalier"]').first().click();
    const run = page.locator('.pane-body .monaco-list-row', { hasText: /evolved.*Pruner-Zero/s });
    await run.waitFor();
    check((await run.innerText()).includes('Pruner-Zero'), await run.innerText());
    const checkpoint = page.locator('.pane-body .monaco-list-row', { hasText: /espalier-sample\s*Llama/ });
    await eventually(
      'the checkpoint',
      () => checkpoint.first().innerText(),
      (text) => /Llama.*k/.test(text),
      60_000,
    );
    const evaluation = page.locator('.pane-body .monaco-list-row', { hasText: 'magnitude' });
    await evaluation.first().waitFor();
    check(
      /magnitude[\s\S]*\d · \+\d+ % · 50 %/.test(await evaluation.first().innerText()),
      await evaluation.first().innerText(),
    );
    await steps.picture(workbench, 'runs and checkpoints');
    await evaluation.first().click();
    await eventually(
      'the line of the metric',
      () => workbench.cursor(),
      (place) => place.startsWith(`Ln ${lineOf(file, 'metric magnitude')},`),
    );
    await workbench.closeEditors();
    await workbench.command('Espalier: Rename Run…');
    await workbench.pick('Pruner-Zero');
    await page.locator('.quick-input-widget input').fill('the first one');
    await page.keyboard.press('Enter');
    const renamed = page.locator('.pane-body .monaco-list-row', { hasText: 'the first one' });
    await renamed.waitFor();
    check((await renamed.innerText()).includes('evolved'), await renamed.innerText());
    await renamed.click();
    await page.locator('.tab', { hasText: 'the first one' }).waitFor();
    await panel.locator('header h1', { hasText: 'the first one' }).waitFor({ timeout: 60_000 });
    await steps.picture(workbench, 'run with a name');
    await workbench.closeEditors();
    await renamed.click();
    await eventually('the finished run', progress, (text) => text.startsWith('finished'), 60_000);
    await workbench.command('View: Toggle Primary Side Bar Visibility');
    await new Promise((resolve) => setTimeout(resolve, 500));
    await steps.picture(workbench, 'run opened');
  });

  await steps.step(workbench, 'the panel follows every theme, and stacks where it is narrow', async () => {
    const scrollTo = (selector: string): Promise<void> =>
      panel
        .locator(selector)
        .first()
        .evaluate((element) => {
          element.scrollIntoView();
        });
    for (const [name, theme] of Object.entries(THEMES)) {
      await workbench.chooseTheme(theme);
      await scrollTo('header');
      await steps.picture(workbench, `search ${name}`);
      await scrollTo('.table');
      await steps.picture(workbench, `search below ${name}`);
    }
    await page.setViewportSize({ width: 800, height: 900 });
    try {
      await scrollTo('header');
      await steps.picture(workbench, 'search narrow');
    } finally {
      await page.setViewportSize({ width: 1280, height: 800 });
    }
  });

  await steps.step(workbench, 'perplexity against sparsity is evaluated on demand', async () => {
    const curves = panel.locator('section[aria-label="Perplexity curves"]');
    await curves.scrollIntoViewIfNeeded();
    for (const box of (await curves.getByRole('checkbox').all()).slice(2)) await box.uncheck();
    await curves.getByRole('button', { name: 'Evaluate' }).click();
    await eventually(
      'progress',
      () => curves.locator('[role="status"]').innerText(),
      (text) => /sparsity \d+ %/.test(text),
      60_000,
    );
    await eventually(
      'the numbers',
      () => curves.locator('[role="status"]').innerText(),
      (text) => text.startsWith('14 evaluations'),
      180_000,
    );
    check((await curves.locator('tbody tr').count()) === 2, 'not two lines');
    await curves.scrollIntoViewIfNeeded();
    await steps.picture(workbench, 'curves');
  });

  await steps.step(workbench, 'random search runs beside it, and is drawn into the same chart', async () => {
    await panel.getByRole('button', { name: 'Run random search beside it' }).click();
    const card = panel.locator('section[aria-label="Best perplexity by generation"]');
    await eventually(
      'random search',
      () => card.innerText(),
      (text) => /random search (running, generation [1-8]|[\d.]+)/.test(text),
      60_000,
    );
    await card.scrollIntoViewIfNeeded();
    await steps.picture(workbench, 'random search beside');
    // A fast machine has come to its end before a person says so.
    const stands = async (): Promise<boolean> => /random search (paused|[\d.]+)/.test(await card.innerText());
    const pause = async (): Promise<void> => {
      if (await stands()) return;
      await page.keyboard.press('Escape');
      await workbench.command('Espalier: Pause Run');
      await workbench.pick('evolved_random');
    };
    await insist('the pause, or the end', pause, stands, { milliseconds: 20_000 });
  });

  await steps.step(workbench, 'a run of 10 000 candidates opens', async () => {
    await workbench.closeEditors();
    await makeLongRun(workspace);
    await workbench.command('View: Toggle Primary Side Bar Visibility');
    const run = page.locator('.pane-body .monaco-list-row', { hasText: /long.*Pruner-Zero/s });
    await run.waitFor({ timeout: 60_000 });
    const began = performance.now();
    await run.click();
    await eventually(
      'all candidates',
      () => panel.getByRole('grid').getAttribute('aria-rowcount'),
      (count) => count === '10001',
      60_000,
    );
    console.log(
      `    10 000 candidates after ${((performance.now() - began) / 1000).toFixed(2)} s, the page's start included`,
    );
    await steps.picture(workbench, 'ten thousand');
    await workbench.command('View: Show Explorer');
    await workbench.closeEditors();
  });

  await steps.step(workbench, 'the walkthrough leads from the sample to a metric of one’s own', async () => {
    await workbench.command('Welcome: Open Walkthrough...');
    await workbench.pick('Find a pruning metric');
    const walkthrough = page.locator('.gettingStartedContainer');
    for (const title of [
      ...['Open the sample', 'Evaluate a metric', 'Evolve better ones', 'Take one into your file'],
      'Make a smaller model',
    ])
      await walkthrough.getByText(title, { exact: true }).first().waitFor();
    await steps.picture(workbench, 'walkthrough');
    await walkthrough.getByText('Make a smaller model', { exact: true }).first().click();
    await walkthrough.getByRole('button', { name: 'Search', exact: true }).click();
    // No file is open, which is said; where one is open, it is the one that is meant.
    await workbench.notification(/Open a \.prune file first/);
    await workbench.dismissNotifications();
    await workbench.openFile('metrics.prune');
    await workbench.command('Welcome: Open Walkthrough...');
    await workbench.pick('Find a pruning metric');
    await walkthrough.getByText('Make a smaller model', { exact: true }).first().click();
    await walkthrough.getByRole('button', { name: 'Search', exact: true }).click();
    await page.locator('.quick-input-widget').getByText('metric to start from').first().waitFor();
    await steps.picture(workbench, 'walkthrough searches');
    await page.keyboard.press('Escape');
    await workbench.closeEditors();
  });
}

/** A finished run as if it had been made on another machine and come here by git. */
async function makeLongRun(workspace: string): Promise<void> {
  const plan = { ...syntheticPlan({ generations: 200, population: 50 }), name: 'long' };
  const { folder, record: run } = await createRun(plan, { root: workspace, createdAt: new Date(), versions: {} });
  const { journal } = await Journal.open(path.join(folder, JOURNAL_FILE), run, { now: () => Date.now() });
  await journal.append(syntheticSearch(plan).map(({ event }) => event));
  await journal.close();
}

/** The number of the line that begins so. */
function lineOf(file: string, beginning: string): number {
  return (
    readFileSync(file, 'utf8')
      .split('\n')
      .findIndex((line) => line.startsWith(beginning)) + 1
  );
}
