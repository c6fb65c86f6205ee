import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { ScriptedLlm } from '../../support/scriptedLlm.ts';
import type { Stage } from '../main.ts';
import { drawn, panelOf, pause, photograph, progressOf, resume, runsOf } from '../searchPanel.ts';
import { check, eventually, insist } from '../steps.ts';
import { THEMES } from '../workbench.ts';

/** Small enough for a minute; what is tested is not how good it gets. */
const STRUCTURE = `model  stories = "."
corpus calib   = "calibration.txt"
corpus test    = "test.txt"

defaults {
  model: stories
  evaluate: calib (blocks: 8, length: 128)
  calibrate: calib (samples: 8)
}

experiment heads {
  prune: structure(wanda-sp), structure(wanda-sp, owl)
  at: 30%
}

search rates {
  method: self-pruner
  test: test
  at: 30%
  population: 6
  mutations: 2
  crossovers: 2
  generations: 3
  finalists: 1
  seed: 1
}

search masks {
  method: policy-gradient
  test: test
  at: 30%
  steps: 60
  tokens: 64
  batch: 2
  masks: 4
  rate: 0.1
  initial: constant
  checkpoints: 12
}
`;

/** Stands nowhere else, so that it is found wherever it is. */
const KEY = 'sk-marker-4f1c09d27ab358e6';

/** Structural pruning: from an endpoint that is set up to a smaller model that is evaluated as a checkpoint of its own. */
export async function structure(stage: Stage): Promise<void> {
  // A mutable one: the model is slow where somebody is to look at it, and where the window is to be reloaded meanwhile.
  const pace = { seed: 4, share: 0.4, delay: 300 };
  const llm = await ScriptedLlm.start(pace);
  try {
    if ((await settingUp(stage, llm)) && (await searchingForRates(stage, llm, pace))) {
      await keeping(stage, llm);
      await exporting(stage);
    }
    await experimenting(stage);
    await searchingForMasks(stage);
  } finally {
    await stage.workbench.page.setViewportSize({ width: 1280, height: 800 });
    await llm.close();
  }
}

/** @returns whether there is one to be asked */
async function settingUp({ steps, workbench, workspace }: Stage, llm: ScriptedLlm): Promise<boolean> {
  const { page } = workbench;
  const widget = page.locator('.quick-input-widget');
  const input = widget.locator('input').first();
  const refusal = widget.getByText('with a user or a password in it');
  let isDone = false;
  /** Types into the question that is open until the next one shows. */
  const answer = (text: string, next: string): Promise<void> =>
    insist(
      `“${next}” asked for`,
      async () => {
        await input.fill(text, { timeout: 5000 });
        await input.press('Enter', { timeout: 5000 });
      },
      () => widget.getByText(next).first().isVisible(),
    );

  await steps.step(
    workbench,
    'an endpoint is set up: a password in its address is refused, a request is tried',
    async () => {
      await workbench.closeEditors();
      // With its icon its commands are there, too.
      await page.locator('.activitybar [aria-label^="Espalier"]').first().waitFor();
      await workbench.command('Espalier: Open the Sample');
      await page.locator('.tab.active[data-resource-name="metrics.prune"]').waitFor();
      writeFileSync(path.join(workspace, 'espalier-sample/structure.prune'), STRUCTURE);
      await workbench.closeTab('metrics.prune');
      // The panels need the room.
      if (await page.locator('.part.sidebar').isVisible())
        await workbench.command('View: Toggle Primary Side Bar Visibility');
      await workbench.command('Espalier: Set Up Language Model…');
      await workbench.pick('Another endpoint…');
      await insist(
        'the refusal of an address with a password',
        () => input.fill(llm.url.replace('//', '//me:secret@'), { timeout: 5000 }),
        () => refusal.isVisible(),
      );
      await input.press('Enter');
      await steps.picture(workbench, 'endpoint refused');
      check(await refusal.isVisible(), 'it was taken');
      await answer(llm.url, 'Key; it is kept in the system’s keychain');
      await answer(KEY, 'Type a name…');
      await workbench.pick('scripted');
      await workbench.notification(/scripted is reachable, and answers “OK”/);
      isDone = true;
      await steps.picture(workbench, 'endpoint answers');
      await workbench.dismissNotifications();
    },
  );
  return isDone;
}

/** @returns whether there is a finished search to go on with */
async function searchingForRates(
  { steps, workbench, workspace, workers }: Stage,
  llm: ScriptedLlm,
  pace: { delay: number },
): Promise<boolean> {
  const { page } = workbench;
  const panel = panelOf(workbench);
  const progress = (): Promise<string> => progressOf(panel);
  const before = runsOf(workspace).length;
  const isThere = (): boolean => runsOf(workspace).length === before + 1;
  let isFinished = false;

  await steps.step(workbench, 'Search says what it will ask, and of whom, before it asks', async () => {
    await workbench.openFile('structure.prune');
    await workbench.clickLens('search rates', 'Search', { milliseconds: 20_000 });
    const dialog = page.locator('.monaco-dialog-box');
    await dialog.waitFor();
    const text = await dialog.innerText();
    for (const part of [/asks scripted at http:\/\/127\.0\.0\.1/, /About 7 requests/, /tokens of prompts/, /no cap/])
      check(part.test(text), `not ${String(part)}: ${text}`);
    await steps.picture(workbench, 'requests announced');
    check(!isThere() && llm.requests.length === 0, 'it has begun without an answer');
    await dialog.getByRole('button', { name: 'Start', exact: true }).click();
    await panel.locator('header h1', { hasText: 'rates' }).waitFor({ timeout: 60_000 });
  });
  if (!isThere()) return false;

  await steps.step(
    workbench,
    'the panel shows rates, bars and what the language model does while it runs',
    async () => {
      const text = await eventually(
        'a generation',
        progress,
        (now) => /generation [12] \/ 3|failed/.test(now),
        120_000,
      );
      check(!text.includes('failed'), await panel.locator('.banner').innerText());
      pace.delay = 6000;
      for (const name of ['Best perplexity by generation', 'Rates by block and generation', 'Configuration'])
        await drawn(panel.locator(`section[aria-label="${name}"] canvas`));
      const card = panel.locator('section[aria-label="Language model"]');
      await eventually(
        'lists of the language model',
        () => card.innerText(),
        (text) =>
          text.includes('scripted at http') && /[1-9]\d* lists?: \d+ used, \d+ repaired, \d+ refused/.test(text),
        30_000,
      );
      await steps.picture(workbench, 'rates running');
    },
  );

  if ((await progress().catch(() => 'failed')).startsWith('failed')) return false;

  await steps.step(
    workbench,
    'a window that is reloaded in mid-search finds it again, running, and its key',
    async () => {
      // The window writes down which editors are open every few seconds.
      await new Promise((resolve) => setTimeout(resolve, 7000));
      const asked = llm.requests.length;
      await workbench.reload();
      await panel.locator('header h1', { hasText: 'rates' }).waitFor({ timeout: 60_000 });
      await eventually('running', progress, (text) => /^generation \d/.test(text), 60_000);
      await eventually(
        'another request',
        () => llm.requests.length,
        (count) => count > asked,
        60_000,
      );
      check(isThere(), 'another run was begun');
    },
  );

  await steps.step(workbench, 'Pause ends a search for rates, Resume goes on', async () => {
    await pause(panel, workers);
    pace.delay = 0;
    await resume(panel);
  });

  await steps.step(
    workbench,
    'the finalists are the best and uniform and OWL, on text that the search never saw',
    async () => {
      await eventually('finished', progress, (text) => text.startsWith('finished'), 120_000);
      isFinished = true;
      const finalists = panel.locator('section[aria-label="Finalists"]');
      await eventually(
        'finalists',
        () => finalists.innerText(),
        (text) =>
          ['#', 'uniform baseline', 'owl baseline', 'unseen text', 'dense'].every((part) => text.includes(part)),
      );
      const text = await panel.locator('section[aria-label="Language model"]').innerText();
      const [, used, repaired, refused] = /(\d+) used, (\d+) repaired, (\d+) refused/.exec(text)!.map(Number);
      check(used! > 0 && repaired! + refused! > 0, `a model with faults, and not one was seen: ${text}`);
      check((await panel.locator('.exchanges details').count()) >= 7, 'not every request is listed');
      await panel.locator('.exchanges summary').last().click();
      await eventually(
        'prompt and reply',
        () => panel.locator('.exchange pre').allInnerTexts(),
        (texts) => texts.length === 2 && texts[0]!.includes('as many as 6'),
      );
    },
  );

  await steps.step(workbench, 'the panel of rates in every theme, and where it is narrow', async () => {
    await workbench.closeTab('structure.prune');
    await lookAround({ steps, workbench }, panel, 'rates', [
      'section[aria-label="Configuration"]',
      'section[aria-label="Finalists"]',
    ]);
  });
  return isFinished;
}

/** Where a key may be: nowhere but in the requests. */
async function keeping({ steps, workbench, workspace, work }: Stage, llm: ScriptedLlm): Promise<void> {
  await steps.step(workbench, 'the key went to the endpoint, and is in no file and no page', async () => {
    check(llm.requests.length >= 5, `${llm.requests.length} requests`);
    const without = llm.requests.filter(({ authorization }) => authorization !== `Bearer ${KEY}`);
    check(without.length === 0, `${without.length} requests without it`);
    check(llm.askedTwice.length === 0, `paid for twice: ${llm.askedTwice.join()}`);
    const files = [...filesOf(workspace), ...filesOf(path.join(work, 'editor/user'))];
    check(
      files.some((file) => file.endsWith('journal.jsonl')) && files.some((file) => file.endsWith('settings.json')),
      `looked at ${files.length} files, and not at the run`,
    );
    const spellings = [KEY, Buffer.from(KEY).toString('base64').slice(0, 28)];
    const found = files.filter((file) => {
      const bytes = readFileSync(file);
      return spellings.some((spelling) => bytes.includes(spelling));
    });
    check(found.length === 0, `in ${found.join(', ')}`);
    const pages = await Promise.all(workbench.page.frames().map((frame) => frame.content()));
    check(pages.length > 2 && pages.some((page) => page.includes('aria-label="Language model"')), 'not the panel');
    check(!pages.some((page) => page.includes(KEY)), 'in a page');
  });
}

async function exporting({ steps, workbench, workspace, pictures }: Stage): Promise<void> {
  const { page } = workbench;
  const panel = panelOf(workbench);
  const name = 'espalier-sample-wanda-sp-30';
  const folder = path.join(workspace, name);
  const weights = path.join(folder, 'model.safetensors');

  await steps.step(
    workbench,
    'Export writes the best as a folder, has it read back and compared, and says so',
    async () => {
      const widget = page.locator('.quick-input-widget');
      const input = widget.locator('input').first();
      await insist(
        'the question for a format',
        () => panel.locator('section[aria-label="Configuration"] [data-action="export"]').click({ timeout: 5000 }),
        () => widget.getByText('Hugging Face folder').first().isVisible(),
      );
      await workbench.pick('Hugging Face folder');
      await eventually(
        'the folder that is suggested',
        () => input.inputValue(),
        (text) => text === folder,
      );
      await insist(
        'the folder taken',
        () => input.press('Enter', { timeout: 5000 }),
        () => widget.isHidden(),
      );
      const text = await workbench.notification(new RegExp(`Saved and compared: ${name} .*differ by at most`), 60_000);
      check(existsSync(weights), text);
      await steps.picture(workbench, 'exported');
    },
  );

  if (existsSync(weights))
    await steps.step(workbench, 'what was exported has the perplexity of the finalist', async () => {
      await workbench.answer(/Saved and compared/, 'Evaluate It');
      const text = await workbench.notification(
        new RegExp(`${name}: perplexity [\\d.]+ as a checkpoint of its own`),
        60_000,
      );
      await steps.picture(workbench, 'export evaluated');
      const now = Number(/perplexity ([\d.]+)/.exec(text)![1]);
      const best = panel.locator('section[aria-label="Finalists"] tbody tr', { hasText: '#' });
      const finalist = Number((await best.locator('td.number').first().innerText()).replaceAll(/[^\d.]/g, ''));
      check(Math.abs(now - finalist) <= 1e-3 * finalist, `${now} as a checkpoint, ${finalist} as a finalist`);
      await workbench.dismissNotifications();
    });

  await steps.step(workbench, 'Measure speed says what is gained', async () => {
    const card = panel.locator('section[aria-label="Size and speed"]');
    await card.getByRole('button', { name: 'Measure speed' }).click();
    await eventually(
      'the table',
      () => card.locator('tbody tr').allInnerTexts(),
      (rows) => rows.length === 2 && rows.every((row) => /[KM]B/.test(row) && !row.includes('–')),
      90_000,
    );
    await card.scrollIntoViewIfNeeded();
    await steps.picture(workbench, 'speed');
    await photograph(workbench, panel, path.join(pictures, 'rates.png'));
  });
}

async function experimenting({ steps, workbench }: Stage): Promise<void> {
  await steps.step(workbench, 'an experiment says what went of heads and channels, and its hover which', async () => {
    await workbench.closeEditors();
    await workbench.openFile('structure.prune');
    await workbench.clickLens('experiment heads', 'Evaluate');
    await workbench.annotated('experiment heads', /wanda-sp [\d.]+/, 60_000);
    const hover = await workbench.hoverAnnotation('experiment heads', /Head groups and channels that each block keeps/);
    check(/\d of 2, \d+ of 320/.test(hover), hover);
    await steps.picture(workbench, 'heads and channels');
    await workbench.page.mouse.move(0, 0);
  });

  await steps.step(
    workbench,
    'Measure Speed of a plain evaluation says what is gained, and its hover keeps it',
    async () => {
      await workbench.goTo(11);
      await workbench.command('Espalier: Measure Speed of Pruned Model');
      await workbench.pick('wanda-sp at 30 %');
      const text = await workbench.notification(/wanda-sp at 30 %, against dense: parameters 6\d\dk \(\d/, 120_000);
      for (const part of [/on disk [\d.]+ MB \(/, /memory \d+ MB \(/, /tokens\/s \d+ \([\d.]+ ×\)/])
        check(part.test(text), `not ${String(part)}: ${text}`);
      await workbench.dismissNotifications();
      const hover = await workbench.hoverAnnotation('experiment heads', /tokens\/s/);
      check(/pruned.*×/s.test(hover) && hover.includes('Measure Speed'), hover);
      await steps.picture(workbench, 'speed in the hover');
      await workbench.page.mouse.move(0, 0);
    },
  );
}

async function searchingForMasks({ steps, workbench, workspace, pictures }: Stage): Promise<void> {
  const panel = panelOf(workbench);
  const progress = (): Promise<string> => progressOf(panel);
  const before = runsOf(workspace).length;

  await steps.step(workbench, 'a search for masks shows its loss, and which components stay', async () => {
    await workbench.goTo(29);
    await workbench.clickLens('search masks', 'Search', { milliseconds: 60_000 });
    await panel.locator('header h1', { hasText: 'masks' }).waitFor({ timeout: 60_000 });
    await eventually('steps', progress, (text) => /step [1-9]\d* \/ 60/.test(text), 120_000);
    await steps.picture(workbench, 'masks running');
    const end = await eventually('the end', progress, (text) => /^(finished|failed)/.test(text), 120_000);
    check(end.startsWith('finished'), await panel.locator('.banner').allInnerTexts().then(String));
    check(runsOf(workspace).length === before + 1, 'not one run');
    await drawn(panel.locator('section[aria-label="Loss by step"] canvas'));
    const maps = panel.locator('section[aria-label="Keep-probabilities"] .heat:visible');
    for (const map of await maps.all()) await drawn(map.locator('canvas'));
    const said = await maps.evaluateAll((all) => all.map((map) => map.getAttribute('aria-description')).join(' '));
    check(said.includes('4 blocks, 2 head groups each') && said.includes('4 blocks, 320 channels each'), said);
  });
  if (runsOf(workspace).length === before) return;

  await steps.step(workbench, 'the panel of masks in every theme, and where it is narrow', async () => {
    await workbench.closeTab('structure.prune');
    await lookAround({ steps, workbench }, panel, 'masks', [
      'section[aria-label="Keep-probabilities"]',
      'section[aria-label="Finalists"]',
    ]);
    await photograph(workbench, panel, path.join(pictures, 'masks.png'));
    await workbench.closeEditors();
  });
}

/** Pictures of a panel from its top, and from parts below. */
async function lookAround(
  { steps, workbench }: Pick<Stage, 'steps' | 'workbench'>,
  panel: FrameLocator,
  name: string,
  parts: readonly string[],
): Promise<void> {
  const { page } = workbench;
  const scrollTo = (selector: string): Promise<void> =>
    panel
      .locator(selector)
      .first()
      .evaluate((element) => {
        element.scrollIntoView();
      });
  const lookDown = async (what: string): Promise<void> => {
    await scrollTo('header');
    await steps.picture(workbench, `${name} ${what}`);
    for (const [i, part] of parts.entries()) {
      await scrollTo(part);
      await steps.picture(workbench, `${name} ${what} ${i + 2}`);
    }
  };
  try {
    for (const [kind, theme] of Object.entries(THEMES)) {
      await workbench.chooseTheme(theme);
      await lookDown(kind);
    }
    await page.setViewportSize({ width: 800, height: 900 });
    await lookDown('narrow');
  } finally {
    await page.setViewportSize({ width: 1280, height: 800 });
  }
}

/** Every file below a folder; links are not followed. */
function filesOf(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const file = path.join(folder, name);
    const about = lstatSync(file);
    if (about.isDirectory()) return filesOf(file);
    return about.isFile() ? [file] : [];
  });
}
