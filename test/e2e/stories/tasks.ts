import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FrameLocator } from 'playwright-core';
import type { Stage } from '../main.ts';
import { panelOf } from '../searchPanel.ts';
import { check, eventually, insist } from '../steps.ts';
import { THEMES } from '../workbench.ts';

const ASKED = `model  tiny  = "models/tiny"
corpus calib = "data/valid.txt"

metric wanda = W * sqrt(X)
metric magnitude = W

experiment asked {
  model: tiny
  calibrate: calib (samples: 8, seed: 0)
  prune: wanda, magnitude
  at: 50%
}
`;

/** Lines of the file. */
const AT = 11;
const EXPERIMENT = 7;

const PROMPT = 'The game was released in Japan in';

/** Questions beside perplexities, and answers to a prompt: an experiment asks for a task, and its results are tried. */
export async function tasks(stage: Stage): Promise<void> {
  writeFileSync(path.join(stage.workspace, 'asked.prune'), ASKED);
  writeFileSync(path.join(stage.workspace, 'data/piqa.jsonl'), documents(160));
  try {
    await asking(stage);
    await comparing(stage);
    await trying(stage);
    await fromViews(stage);
  } finally {
    await stage.workbench.page.setViewportSize({ width: 1280, height: 800 });
  }
}

/** Documents as PIQA's authors write them, labels beside the fields; numbers and words that the model has read make them differ. */
function documents(count: number): string {
  const things = ['door', 'jar', 'window', 'box', 'river', 'bridge', 'ship', 'house'];
  const rows = Array.from({ length: count }, (_, i) => ({
    goal: `open the ${things[i % things.length]!} number ${i}`,
    sol1: `turn the handle of the ${things[i % things.length]!}`,
    sol2: `paint the ${things[(3 * i + 1) % things.length]!} and wait for ${i % 7} days`,
    label: (i * 7) % 3 === 0 ? 1 : 0,
  }));
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

async function asking({ steps, workbench }: Stage): Promise<void> {
  const { page } = workbench;

  await steps.step(workbench, 'a task is completed by its name, and its settings behind it', async () => {
    await workbench.closeEditors();
    await workbench.openFile('asked.prune');
    await workbench.goTo(AT);
    await page.keyboard.press('End');
    await page.keyboard.type('\ntasks: pi', { delay: 30 });
    await workbench.complete(/^piqa/);
    await steps.picture(workbench, 'task completed');
    await page.keyboard.press('Enter');
    await page.keyboard.type(' (lim', { delay: 30 });
    await workbench.complete(/^limit/);
    await steps.picture(workbench, 'limit completed');
    await page.keyboard.press('Escape');
    await page.keyboard.type('it: 20, documents: "data/piqa.jsonl"', { delay: 5 });
    await page.keyboard.press('Escape');
    const line = async (): Promise<string> =>
      (await workbench.lines()).find(({ text }) => text.includes('tasks:'))?.text.trim() ?? '';
    if (!(await line()).endsWith(')')) await page.keyboard.type(')');
    await eventually('the line', line, (text) => text === 'tasks: piqa (limit: 20, documents: "data/piqa.jsonl")');
    await workbench.press('Control+s');
    await eventually(
      'nothing underlined',
      () => workbench.errors(),
      (count) => count === 0,
    );
  });

  await steps.step(workbench, 'what a task is stands in its hover', async () => {
    await workbench.hoverWord('  tasks: piqa', 'piqa', /PIQA/);
    await steps.picture(workbench, 'task explained');
    await page.mouse.move(0, 0);
  });

  await steps.step(
    workbench,
    'evaluated, its progress names the tasks, and accuracies stand beside the line',
    async () => {
      await workbench.clickLens('experiment asked', 'Evaluate');
      const seen = new Set<string>();
      await workbench.annotated('experiment asked', /acc/, 180_000, (text) => seen.add(text));
      check(
        [...seen].some((text) => /tasks|PIQA|piqa/.test(text)),
        `no progress of tasks: ${[...seen].join(' | ')}`,
      );
      await steps.picture(workbench, 'tasks evaluated');
    },
  );

  await steps.step(
    workbench,
    'the hover has the accuracy with its error, and where its documents are from',
    async () => {
      const hover = await workbench.hoverAnnotation('experiment asked', /PIQA/);
      check(hover.includes('±'), hover);
      await steps.picture(workbench, 'tasks in the hover');
      await page.mouse.move(0, 0);
    },
  );
}

async function comparing({ steps, workbench }: Stage): Promise<void> {
  const { page } = workbench;

  await steps.step(workbench, 'the view of evaluations has them, and Try It… in its rows', async () => {
    await workbench.command('Espalier: Focus on Evaluations View');
    const rows = page.locator('.monaco-list-row', { hasText: 'wanda' }).filter({ hasText: 'acc' });
    await rows.first().waitFor({ timeout: 30_000 });
    await rows.first().hover();
    await steps.picture(workbench, 'evaluations with tasks');
  });

  await steps.step(workbench, 'results with tasks in every theme', async () => {
    for (const [kind, theme] of Object.entries(THEMES)) {
      await workbench.chooseTheme(theme);
      await workbench.goTo(EXPERIMENT);
      await steps.picture(workbench, `tasks ${kind}`);
    }
  });
}

async function trying({ steps, workbench, workers }: Stage): Promise<void> {
  const { page } = workbench;
  const view = panelOf(workbench);
  const before = workers().length;

  await steps.step(workbench, 'Try it… asks which result is meant, and opens a page for prompts', async () => {
    await workbench.clickLens('experiment asked', 'Try it…');
    await workbench.pick('wanda at 50 %');
    await view.getByRole('textbox', { name: 'Prompt', exact: true }).waitFor({ timeout: 60_000 });
    await eventually(
      'who answers',
      () => view.locator('header .who').innerText(),
      (text) => text.endsWith('dense beside wanda at 50 %'),
    );
    await steps.picture(workbench, 'try it empty');
  });

  await steps.step(
    workbench,
    'dense and pruned answers come side by side, word by word, with their speeds',
    async () => {
      const prompt = view.locator('#prompt');
      await insist(
        'the prompt typed',
        () => prompt.fill(PROMPT, { timeout: 5000 }),
        async () => (await prompt.inputValue()) === PROMPT,
      );
      await view.locator('#most').fill('40');
      await prompt.press('Control+Enter');
      await states(view, /answering|done/, 60_000);
      await steps.picture(workbench, 'answering');
      await eventually(
        'the pruned model on its way',
        () => view.locator('.answer').nth(1).getAttribute('data-state'),
        (state) => state !== 'waiting',
        120_000,
      );
      await steps.picture(workbench, 'pruned model on its way');
      await states(view, /^done done$/, 180_000);
      for (const place of [0, 1]) {
        const answer = view.locator('.answer').nth(place);
        check((await answer.locator('.text').innerText()).trim() !== '', 'no text');
        check((await answer.locator('.speed').innerText()).includes('tokens/s'), 'no speed');
      }
      await steps.picture(workbench, 'answered');
    },
  );

  await steps.step(workbench, 'another result is asked the same, beside them', async () => {
    await view.getByRole('button', { name: 'Another Result…' }).click();
    await workbench.pick('magnitude at 50 %');
    await states(view, /^done done done$/, 180_000);
    const names = await view.locator('.answer h3').allInnerTexts();
    check(names.join() === 'dense,wanda at 50 %,magnitude at 50 %', names.join());
    await steps.picture(workbench, 'another result');
  });

  await steps.step(workbench, 'Try it in every theme, and where it is narrow', async () => {
    for (const [kind, theme] of Object.entries(THEMES)) {
      await workbench.chooseTheme(theme);
      await steps.picture(workbench, `try it ${kind}`);
    }
    await page.setViewportSize({ width: 640, height: 900 });
    await steps.picture(workbench, 'try it narrow');
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  await steps.step(workbench, 'an answer is stopped, and the prompts before it stay', async () => {
    await view.locator('#prompt').fill('He was born in');
    await view.locator('#most').fill('4000');
    await view.getByRole('button', { name: 'Generate' }).click();
    await eventually(
      'some of an answer',
      () => view.locator('.exchange').first().locator('.answer .text').first().innerText(),
      (text) => text.length > 20,
      60_000,
    );
    await view.getByRole('button', { name: 'Stop' }).click();
    await states(view, /^(stopped|done) stopped/, 30_000);
    check((await view.locator('.exchange').count()) === 2, 'the history is another');
    await view.locator('#most').fill('0');
    await view.getByRole('button', { name: 'Generate' }).click();
    check((await view.locator('.exchange').count()) === 2, 'a question for no token was asked');
    await view.locator('#most').fill('40');
    await steps.picture(workbench, 'stopped');
  });

  await steps.step(workbench, 'its worker goes with the page', async () => {
    check(workers().length === before + 1, `${workers().length} workers, ${before} before`);
    await workbench.closeTab('Try it');
    await eventually('one worker less', workers, (pids) => pids.length === before, 30_000);
  });
}

/** From the rows of the views: a kept evaluation, and a checkpoint. */
async function fromViews({ steps, workbench, workers }: Stage): Promise<void> {
  const view = panelOf(workbench);
  const before = workers().length;
  const tryRow = async (name: string, told: string, who: string): Promise<void> => {
    const rows = workbench.page.locator('.monaco-list-row', { hasText: name }).filter({ hasText: told });
    const row = rows.first();
    await insist(
      `${who} to be asked`,
      async () => {
        await row.hover({ timeout: 5000 });
        await row.getByRole('button', { name: 'Try It…' }).click({ timeout: 5000 });
      },
      async () => (await view.locator('header .who').innerText({ timeout: 3000 })) === who,
      { milliseconds: 15_000 },
    );
  };

  await steps.step(workbench, 'a row of the view of evaluations is made again as it was evaluated', async () => {
    await workbench.command('Espalier: Focus on Evaluations View');
    await tryRow('wanda', 'acc', 'tiny: dense beside wanda at 50 %');
  });

  await steps.step(workbench, 'a checkpoint answers alone, in the same page', async () => {
    await tryRow('tiny', 'Llama', 'tiny, dense');
    await view.locator('#prompt').fill('He was');
    await view.locator('#most').fill('8');
    await view.locator('#prompt').press('Control+Enter');
    await states(view, /^done$/, 60_000);
    await steps.picture(workbench, 'checkpoint tried');
    await workbench.closeTab('Try it');
    await eventually('no worker more', workers, (pids) => pids.length === before, 30_000);
  });
}

/** What has become of the newest exchange's answers: `done answering`. */
function states(view: FrameLocator, wanted: RegExp, milliseconds: number): Promise<string> {
  const answers = view.locator('.exchange').first().locator('.answer');
  return eventually(
    `answers ${String(wanted)}`,
    async () => (await answers.evaluateAll((all) => all.map((each) => each.getAttribute('data-state')))).join(' '),
    (text) => wanted.test(text),
    milliseconds,
  );
}
