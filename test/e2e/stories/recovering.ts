import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Stage } from '../main.ts';
import { drawn, panelOf, photograph, progressOf, runsOf } from '../searchPanel.ts';
import { check, eventually, insist } from '../steps.ts';
import { THEMES } from '../workbench.ts';

const AFTER = `model  tiny  = "models/tiny"
corpus test  = "data/test.txt"
corpus calib = "data/valid.txt"

/// Weight magnitude times input norm (Wanda)
metric wanda = W * sqrt(X)

defaults {
  model: tiny
  evaluate: test (length: 128, blocks: 16)
  calibrate: calib (samples: 8, seed: 0)
}

experiment after {
  prune: wanda
  at: 50%
}

experiment heads {
  calibrate: calib (samples: 48, seed: 0)
  prune: structure(wanda-sp), structure(wanda-sp) then reconstruct
  at: 30%
}
`;

/** Lines of the file. */
const PRUNE = 15;
const HEADS = 19;
const AT = 22;

/** The better of the two: as much as there is room for. */
const HEADS_RESULT = /^wanda-sp then reconstruct [\d.]+ · \+\d+ %, 1 more$/;

/** After the mask: an update that is typed and evaluated, and a recovery from the question to the folders that it leaves. */
export async function recovering(stage: Stage): Promise<void> {
  try {
    await updating(stage);
    await refitting(stage);
    if (await training(stage)) await saving(stage);
  } finally {
    await stage.workbench.page.setViewportSize({ width: 1280, height: 800 });
  }
}

async function updating({ steps, workbench, workspace }: Stage): Promise<void> {
  const { page } = workbench;
  const text = async (beginning: string): Promise<string> =>
    (await workbench.lines()).find((line) => line.text.startsWith(beginning))?.text ?? '';

  await steps.step(workbench, 'an update is completed behind “then”, and explained', async () => {
    writeFileSync(path.join(workspace, 'after.prune'), AFTER);
    await workbench.closeEditors();
    await workbench.openFile('after.prune');
    await workbench.goTo(PRUNE);
    await page.keyboard.press('End');
    await page.keyboard.type(', wanda then ', { delay: 20 });
    await workbench.complete(/^(admm|sparsegpt)/);
    await page.keyboard.type('ad', { delay: 40 });
    await workbench.complete(/^admm/);
    await steps.picture(workbench, 'update completed');
    await page.keyboard.press('Enter');
    await eventually(
      'admm in the text',
      () => text('  prune: wanda'),
      (line) => line.startsWith('  prune: wanda, wanda then admm'),
    );
    await page.keyboard.press('Escape');
    await workbench.hoverWord('  prune: wanda', 'admm', /least squares/);
    await steps.picture(workbench, 'update explained');
    await page.mouse.move(0, 0);
    await workbench.goTo(PRUNE);
    await workbench.press('Control+s');
  });

  await steps.step(workbench, 'evaluated, it stands beside the mask alone, and has another number', async () => {
    await workbench.clickLens('experiment after', 'Evaluate');
    const told = await workbench.annotated(
      'experiment after',
      /^50 %: .*wanda then admm [\d.]+.* · dense [\d.]+ · cpu$/,
      120_000,
    );
    const [, updated] = /wanda then admm ([\d.]+)/.exec(told)!;
    const [, masked] = /wanda ([\d.]+)/.exec(told)!;
    check(Number(updated) < Number(masked), told);
    const beside = await workbench.annotated('metric wanda', /^[\d.]+ · \+[\d.]+ %, [\d.]+ then admm$/);
    check(beside.startsWith(`${masked} ·`) && beside.endsWith(`, ${updated} then admm`), beside);
    await steps.picture(workbench, 'update evaluated');
  });

  await steps.step(workbench, 'the hover tells both apart, with the settings of the update', async () => {
    const hover = await workbench.hoverAnnotation('experiment after', /wanda then admm/);
    check(/ADMM.*iterations 20.*damping 0\.1/s.test(hover), hover);
    await steps.picture(workbench, 'update in the hover');
    await page.mouse.move(0, 0);
  });

  await steps.step(workbench, 'both in every theme', async () => {
    for (const [kind, theme] of Object.entries(THEMES)) {
      await workbench.chooseTheme(theme);
      await workbench.goTo(PRUNE);
      await steps.picture(workbench, `update ${kind}`);
    }
  });
}

async function refitting({ steps, workbench }: Stage): Promise<void> {
  await steps.step(workbench, 'what whole components leave is refitted, and the hover says how much', async () => {
    await workbench.clickLens('experiment heads', 'Evaluate');
    await workbench.annotated('experiment heads', HEADS_RESULT, 120_000);
    await workbench.hoverAnnotation('experiment heads', /[1-9]\d* output projections refitted/);
    await steps.picture(workbench, 'refitted in the hover');
    await workbench.page.mouse.move(0, 0);
  });
}

/** @returns whether a recovery has come to its end */
async function training({ steps, workbench, workspace, pictures }: Stage): Promise<boolean> {
  const { page } = workbench;
  const panel = panelOf(workbench);
  const progress = (): Promise<string> => progressOf(panel);
  const before = runsOf(workspace).length;
  const widget = page.locator('.quick-input-widget');
  let isFinished = false;

  await steps.step(
    workbench,
    'Recover… asks what is trained, how long and on which text; the file’s come first',
    async () => {
      await workbench.goTo(AT);
      await page.keyboard.press('End');
      // Pasted, so that no suggestion that comes late takes the Enter between the lines.
      await page.keyboard.insertText('\ntrain: calib\nrecover: ');
      await page.keyboard.type('lo', { delay: 20 });
      await workbench.complete(/^lora/);
      await steps.picture(workbench, 'recovery completed');
      await page.keyboard.press('Escape');
      await page.keyboard.type('ra (steps: 16, rate: 0.0003, batch: 4, every: 4, held: 8', { delay: 5 });
      await page.keyboard.press('Escape');
      if (!(await workbench.lines()).some(({ text }) => text.endsWith('held: 8)'))) await page.keyboard.type(')');
      await workbench.press('Control+s');
      await workbench.goTo(HEADS);
      await workbench.command('Espalier: Recover Pruned Model…');
      await workbench.pick('wanda-sp then reconstruct at 30 %');
      await widget.getByText('(1 of 3)').first().waitFor();
      await steps.picture(workbench, 'what is trained');
      await workbench.pick('LoRA');
      await widget.getByText('(2 of 3)').first().waitFor();
      const input = widget.locator('input').first();
      await eventually(
        'the steps of the file',
        () => input.inputValue(),
        (text) => text === '16',
      );
      await steps.picture(workbench, 'how long');
      await insist(
        'the question for a text',
        () => input.press('Enter', { timeout: 5000 }),
        () => widget.getByText('(3 of 3)').first().isVisible(),
      );
      await steps.picture(workbench, 'on which text');
      await workbench.pick('valid.txt');
      await panel.locator('section[aria-label="Held-out perplexity by step"]').waitFor({ timeout: 60_000 });
    },
  );
  if (runsOf(workspace).length === before) return false;

  await steps.step(
    workbench,
    'the panel draws the held-out text and the loss, and says what it has come to',
    async () => {
      await eventually('steps', progress, (text) => /step [1-9]\d* \/ 16|finished|failed/.test(text), 120_000);
      await steps.picture(workbench, 'training');
      const end = await eventually('the end', progress, (text) => /^(finished|failed)/.test(text), 180_000);
      check(end.startsWith('finished'), await panel.locator('.banner').allInnerTexts().then(String));
      isFinished = true;
      for (const name of ['Held-out perplexity by step', 'Loss in training by step'])
        await drawn(panel.locator(`section[aria-label="${name}"] canvas`));
      const outcome = await panel.locator('section[aria-label="Before and after"]').innerText();
      for (const part of ['dense', 'before', 'after', 'perplexity']) check(outcome.includes(part), outcome);
    },
  );

  await steps.step(workbench, 'the panel of a recovery in every theme, and where it is narrow', async () => {
    await workbench.closeTab('after.prune');
    for (const [kind, theme] of Object.entries(THEMES)) {
      await workbench.chooseTheme(theme);
      await steps.picture(workbench, `recovery ${kind}`);
    }
    await photograph(workbench, panel, path.join(pictures, 'recovery.png'));
    await page.setViewportSize({ width: 640, height: 900 });
    await steps.picture(workbench, 'recovery narrow');
    await page.setViewportSize({ width: 1280, height: 800 });
  });
  return isFinished;
}

async function saving({ steps, workbench, workspace }: Stage): Promise<void> {
  const { page } = workbench;
  const panel = panelOf(workbench);
  const widget = page.locator('.quick-input-widget');
  const input = widget.locator('input').first();

  const save = async (button: string, what: string): Promise<string> => {
    await insist(
      'the question for a folder',
      () => panel.getByRole('button', { name: button }).click({ timeout: 5000 }),
      () => widget.isVisible(),
    );
    const folder = await eventually(
      'the folder that is suggested',
      () => input.inputValue(),
      (text) => text.startsWith(workspace),
    );
    await insist(
      'the folder taken',
      () => input.press('Enter', { timeout: 5000 }),
      () => widget.isHidden(),
    );
    await workbench.notification(new RegExp(`Saved the ${what}: `), 90_000);
    return folder;
  };

  await steps.step(workbench, 'the adapter is saved as PEFT reads it', async () => {
    const folder = await save('Save adapter…', 'adapter');
    await steps.picture(workbench, 'adapter saved');
    const config = JSON.parse(readFileSync(path.join(folder, 'adapter_config.json'), 'utf8')) as { peft_type?: string };
    check(config.peft_type === 'LORA', JSON.stringify(config));
    check(existsSync(path.join(folder, 'adapter_model.safetensors')), 'no tensors');
    await workbench.dismissNotifications();
  });

  await steps.step(workbench, 'the merged model is a checkpoint of its own', async () => {
    const folder = await save('Save merged model…', 'merged model');
    for (const name of ['config.json', 'model.safetensors', 'tokenizer.json'])
      check(existsSync(path.join(folder, name)), `no ${name}`);
    await workbench.dismissNotifications();
    await workbench.closeEditors();
  });
}
