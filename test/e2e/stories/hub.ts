import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import type { Stage } from '../main.ts';
import { check, eventually, insist } from '../steps.ts';
import { THEMES } from '../workbench.ts';

const FILE = `model tiny =

metric wanda = W * sqrt(X)

metric magnitude = W

experiment table {
  protocol:
`;

/** Of a model that is somewhere else. */
const REMOTE = `model far = "hf:lab/remote"

metric scaled = W * X

experiment elsewhere {
  model: far
  evaluate: "hf:Salesforce/wikitext/wikitext-2-raw-v1:test" (length: 128, blocks: 4)
  calibrate: "hf:allenai/c4/en/c4-train.00000-of-01024.json.gz" (samples: 4)
  prune: scaled
  at: 50%
}
`;

const TEST = 'hf:Salesforce/wikitext/wikitext-2-raw-v1:test';
const C4 = 'hf:allenai/c4/en/c4-train.00000-of-01024.json.gz';
/** There is no room for all of it beside a line. */
const UNDER_PROTOCOL = /^wanda [\d.]+ · [+−][\d.]+ %, 1 more · wanda, but samples 8, 3 more$/;
const DIFFERS = 'wanda, but samples 8, length 128, length of samples 128, blocks 16';

/** Names on the hub and the protocols of papers: completed, evaluated, explained; the view of the cache; what is fetched, and only after a yes. */
export async function hub({ steps, workbench, workspace, cache, hubServer }: Stage): Promise<void> {
  const { page } = workbench;
  const suggestions = page.locator('.suggest-widget.visible .monaco-list-row');
  const offered = (): Promise<string[]> =>
    suggestions.evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label') ?? ''));
  const text = async (): Promise<string> => (await workbench.lines()).map((line) => line.text).join('\n');

  /** Types a name, and takes what is offered first. */
  const take = async (typed: string, offer: RegExp, written: string): Promise<void> => {
    await page.keyboard.type(typed, { delay: 40 });
    await workbench.complete(offer);
    await page.keyboard.press('Enter');
    await eventually(`${written} in the text`, text, (all) => all.includes(written));
  };

  /** Begins a line; what is offered there is not taken. */
  const line = async (typed: string): Promise<void> => {
    await page.keyboard.press('Escape');
    await page.keyboard.type(`\n${typed}`, { delay: 5 });
    await page.keyboard.press('Escape');
  };

  await steps.step(workbench, 'hf: between quotes offers the models of the cache', async () => {
    writeFileSync(path.join(workspace, 'hub.prune'), FILE);
    writeFileSync(path.join(workspace, 'remote.prune'), REMOTE);
    writeFileSync(path.join(workspace, 'lone.prune'), 'metric lone = W\n');
    await workbench.closeEditors();
    await workbench.openFile('hub.prune');
    await workbench.lens('metric wanda', 'Tree');
    // By itself, without a key that asks; but what the cache holds is looked up when the window opens.
    await insist(
      'the models offered',
      async () => {
        await page.keyboard.press('Escape');
        await workbench.goTo(1);
        await page.keyboard.press('Shift+End');
        await page.keyboard.type('model tiny = "hf:', { delay: 60 });
      },
      async () => (await offered()).some((label) => label.startsWith('hf:espalier/tiny')),
    );
    check(!(await offered()).some((label) => label.includes('wikitext-2')), 'texts are offered as models');
    await steps.picture(workbench, 'models offered');
    await workbench.complete(/^hf:espalier\/tiny/);
    await page.keyboard.press('Enter');
    await eventually('the name, in quotes', text, (all) => all.includes('model tiny = "hf:espalier/tiny"\n'));
  });

  await steps.step(
    workbench,
    'a protocol is completed with all that it sets; texts with what the cache holds',
    async () => {
      await workbench.goTo(8, 1);
      await page.keyboard.press('End');
      await take(' wan', /^wanda/, 'protocol: wanda');
      await line('model: tiny');
      await line('evaluate: ');
      await page.keyboard.type('"');
      await eventually('texts', offered, (labels) => labels.some((label) => label.includes('c4-train')));
      await steps.picture(workbench, 'texts offered');
      await page.keyboard.press('Backspace');
      await take('"hf:Sal', /^wikitext-2-raw-v1:test/, `evaluate: "${TEST}"`);
      await page.keyboard.type(' (length: 128, blocks: 16)', { delay: 5 });
      await line('calibrate: ');
      await take('"hf:al', /^en\/c4-train/, `calibrate: "${C4}"`);
      await page.keyboard.type(' (samples: 8, length: 128)', { delay: 5 });
      await line('prune: wanda, magnitude');
      await line('at: 50%');
      await line('}');
      await eventually(
        'no mistake',
        () => workbench.errors(),
        (count) => count === 0,
      );
      await workbench.press('Control+s');
      await steps.picture(workbench, 'written');
    },
  );

  await steps.step(workbench, 'the number says under which protocol, and in what it differs', async () => {
    await workbench.clickLens('experiment table', 'Evaluate');
    await workbench.annotated('experiment table', UNDER_PROTOCOL, 120_000);
    await steps.picture(workbench, 'result');
    const provenance = await workbench.hoverAnnotation('metric wanda', /onnxruntime/);
    for (const part of [DIFFERS, 'espalier/tiny', TEST.slice(3, -5)])
      check(provenance.includes(part), `the hover lacks ${part}: ${provenance}`);
    await page.mouse.move(640, 700);
  });

  await steps.step(workbench, 'the status bar names the model', async () => {
    const status = await workbench.status();
    check(status.includes('· tiny'), status);
  });

  await steps.step(workbench, 'hover over the protocol lists what it sets, with sources; in every theme', async () => {
    for (const [name, theme] of Object.entries(THEMES)) {
      await workbench.chooseTheme(theme);
      const told = await workbench.hoverWord('  protocol:', 'wanda', /lib\/data\.py, get_c4/);
      check(told.includes(DIFFERS), `nothing of what differs: ${told}`);
      await steps.picture(workbench, `protocol ${name}`);
      await workbench.hoverAnnotation('metric wanda', /onnxruntime/);
      await steps.picture(workbench, `provenance ${name}`);
      await page.mouse.move(640, 700);
      await workbench.goTo(1, 'model tiny = "hf:'.length + 1);
      await workbench.complete(/^hf:espalier\/tiny/);
      await steps.picture(workbench, `completion ${name}`);
      await page.keyboard.press('Escape');
    }
  });

  const icon = page.locator('.activitybar [aria-label^="Espalier"]').first();
  const paneOf = (title: string): Locator =>
    page.locator('.pane', { has: page.locator(`.pane-header[aria-label^="${title}"]`) });
  const checkpoints = paneOf('Checkpoints');
  const view = paneOf('Models on This Machine');
  const row = (name: string): Locator => view.locator('.monaco-list-row', { hasText: name });

  await steps.step(workbench, 'files that name no model have the one of the settings, from the hub too', async () => {
    const settings = path.join(workspace, '.vscode/settings.json');
    mkdirSync(path.dirname(settings), { recursive: true });
    writeFileSync(settings, JSON.stringify({ 'espalier.model': 'hf:espalier/tiny', 'espalier.text': TEST }));
    await workbench.openFile('lone.prune');
    await eventually(
      'its name in the status bar',
      () => workbench.status(),
      (status) => status.includes('· espalier/tiny'),
    );
    await showView(icon, checkpoints);
    await checkpoints.locator('.pane-header').hover();
    await checkpoints.getByRole('button', { name: 'Refresh Checkpoints' }).click();
    await checkpoints.locator('.monaco-list-row', { hasText: /^espalier\/tinyLlama · 6\.45M/ }).waitFor();
    check(!/7{12}/.test(await checkpoints.innerText()), 'a commit stands for its name');
    await steps.picture(workbench, 'model of the settings');
    rmSync(settings);
    await workbench.closeTab('lone.prune');
  });

  await steps.step(workbench, 'Models on This Machine lists the cache, and begins a file that prunes one', async () => {
    await showView(icon, view);
    await row('espalier/tiny').waitFor();
    check((await view.locator('.monaco-list-row').count()) === 3, await view.innerText());
    await row('espalier/tiny').hover();
    await steps.picture(workbench, 'view');
    await row('espalier/tiny').getByRole('button', { name: 'Prune This Model' }).click();
    await eventually(
      'the new file',
      text,
      (all) => all.startsWith('model tiny = "hf:espalier/tiny"') && all.includes('at: 50%'),
    );
    await eventually(
      'no mistake',
      () => workbench.errors(),
      (count) => count === 0,
    );
    await steps.picture(workbench, 'prune this model');
  });

  await steps.step(workbench, 'what is not there is fetched only after a yes', async () => {
    const place = path.join(cache, 'models--lab--remote');
    await workbench.openFile('remote.prune');
    const dialog = page.locator('.monaco-dialog-box');
    const asked = (): boolean => hubServer.seen.some(({ path: seen }) => seen.endsWith('model.safetensors'));
    await workbench.clickLens('experiment elsewhere', 'Evaluate');
    await dialog.waitFor({ timeout: 30_000 });
    const told = await dialog.innerText();
    for (const part of ['Download hf:lab/remote?', '3 files', hubServer.endpoint, 'apache-2.0'])
      check(told.includes(part), `not ${part}: ${told}`);
    await steps.picture(workbench, 'consent');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await workbench.lens('experiment elsewhere', 'Evaluate');
    check(!asked() && !existsSync(path.join(place, 'snapshots')), 'it was fetched without a yes');

    await workbench.clickLens('experiment elsewhere', 'Evaluate');
    await dialog.getByRole('button', { name: 'Download' }).click({ timeout: 30_000 });
    await workbench.annotated('experiment elsewhere', /^50 %: scaled [\d.]+/, 120_000);
    check(existsSync(path.join(place, 'refs/main')), 'it is not in the cache');
    await eventually(
      'it in the view',
      () => row('lab/remote').count(),
      (count) => count === 1,
    );
    await workbench.goTo(1, 'model far = "hf:'.length + 1);
    await workbench.complete(/^hf:(lab\/remote|espalier\/tiny)/);
    check(
      (await offered()).some((label) => label.startsWith('hf:lab/remote')),
      'completion does not offer it',
    );
    await steps.picture(workbench, 'fetched');
    await page.keyboard.press('Escape');
  });
}

async function showView(icon: Locator, view: Locator): Promise<void> {
  await insist(
    'the views of Espalier',
    // A second click would hide them.
    async () => {
      if (!(await view.isVisible())) await icon.click({ timeout: 5000 });
    },
    () => view.isVisible(),
  );
  const header = view.locator('.pane-header');
  await insist(
    'the view unfolded',
    async () => {
      if ((await header.getAttribute('aria-expanded')) !== 'true') await header.click({ timeout: 5000 });
    },
    async () => (await header.getAttribute('aria-expanded')) === 'true',
  );
}
