import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { EvaluationResult } from '../../../src/experiment/resultSchema.ts';
import { formatPerplexity } from '../../../src/experiment/format.ts';
import type { Stage } from '../main.ts';
import { check, eventually } from '../steps.ts';

const NUMBER = /^ppl ([\d.]+) +\(dense [\d.]+, [+−±][\d.]+ %\) · 50 % · [\d.]+ s · cpu$/;

/** Evaluating: progress, the number, the same on the command line, and what becomes of it when things change. */
export async function evaluating({ steps, workbench, workers, workspace, root }: Stage): Promise<void> {
  const { page } = workbench;
  const metrics = path.join(workspace, 'metrics.prune');
  const kept = (): EvaluationResult[] => {
    const folder = path.join(workspace, '.espalier/evaluations');
    return readdirSync(folder).map(
      (name) => (JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as { result: EvaluationResult }).result,
    );
  };

  await steps.step(workbench, 'Evaluate shows progress, then the perplexity beside the line', async () => {
    await workbench.openFile('metrics.prune');
    await workbench.clickLens('metric wanda', 'Evaluate');
    await workbench.lens('metric wanda', 'Cancel');
    await workbench.annotated('metric wanda', /… *$|\d %$/);
    await eventually(
      'a spinner in the status bar',
      () => page.locator('.statusbar-item[id^="espalier"] .codicon-sync').count(),
      (count) => count > 0,
    );
    await workbench.annotated('metric wanda', /block \d of \d · \d+ %$/);
    await steps.picture(workbench, 'progress');
    await workbench.annotated('metric wanda', NUMBER, 90_000);
    await workbench.lens('metric wanda', 'Evaluate');
    await eventually(
      'the device in the status bar',
      () => workbench.status(),
      (text) => text.startsWith('Espalier: cpu · tiny'),
    );
    await steps.picture(workbench, 'result');
  });

  await steps.step(workbench, 'the number is the same on the command line, to the last digit', async () => {
    const cli = spawnSync(
      process.execPath,
      [path.join(root, 'dist/cli.cjs'), 'evaluate', metrics, '--metric', 'wanda', '--json'],
      { encoding: 'utf8' },
    );
    check(cli.status === 0, cli.stderr);
    const printed = JSON.parse(cli.stdout.trim().split('\n').at(-1)!) as EvaluationResult;
    const stored = kept().find(({ metric }) => metric === 'wanda')!;
    check(printed.perplexity === stored.perplexity, `command line ${printed.perplexity}, editor ${stored.perplexity}`);
    check(
      printed.densePerplexity === stored.densePerplexity,
      `dense: command line ${printed.densePerplexity}, editor ${stored.densePerplexity}`,
    );
    check(printed.fingerprint === stored.fingerprint, `fingerprints ${printed.fingerprint} and ${stored.fingerprint}`);
    const shown = NUMBER.exec(await workbench.annotation('metric wanda'))?.[1];
    check(
      shown === formatPerplexity(printed.perplexity),
      `command line ${printed.perplexity}, shown ${shown ?? 'nothing'}`,
    );
  });

  await steps.step(workbench, 'hover over the number says where it comes from', async () => {
    const text = await workbench.hoverAnnotation('metric wanda', /onnxruntime/);
    const { fingerprint, provenance } = kept().find(({ metric }) => metric === 'wanda')!;
    for (const part of [
      fingerprint,
      provenance.modelHash.slice(0, 12),
      provenance.textHash!.slice(0, 12),
      'LlamaForCausalLM',
      'seed 0',
      'onnxruntime',
    ]) {
      check(text.includes(part), `the hover lacks ${part}: ${text}`);
    }
    await steps.picture(workbench, 'provenance');
    await page.mouse.move(640, 700);
  });

  await steps.step(
    workbench,
    'an experiment shows its metrics, best first, and each of them beside its own line',
    async () => {
      await workbench.clickLens('experiment halves', 'Evaluate');
      await workbench.annotated(
        'experiment halves',
        /^50 %: wanda [\d.]+, magnitude [\d.]+ · dense [\d.]+ · cpu$/,
        90_000,
      );
      await workbench.annotated('metric magnitude', NUMBER);
      await workbench.annotated('metric wanda', NUMBER);
      await steps.picture(workbench, 'experiment');
    },
  );

  await steps.step(
    workbench,
    'after reloading the window the results are there, and nothing was computed',
    async () => {
      const before = await workbench.annotation('metric wanda');
      await workbench.reload();
      await workbench.annotated('metric wanda', NUMBER, 90_000);
      check((await workbench.annotation('metric wanda')) === before, 'another result than before');
      await workbench.annotated('experiment halves', /^50 %: wanda/);
      await eventually('the old window’s worker to end', workers, (pids) => pids.length === 0, 90_000);
    },
  );

  await steps.step(
    workbench,
    'a metric that changes is marked stale, in words and colour; changed back it is current',
    async () => {
      const colour = async (): Promise<string> =>
        (await workbench.lines()).find(({ text }) => text.startsWith('metric magnitude'))!.colour;
      const fresh = await colour();
      await workbench.goTo(8);
      await page.keyboard.press('End');
      await page.keyboard.type(' * W');
      await page.keyboard.press('Escape');
      await workbench.annotated('metric magnitude', /^stale: ppl/);
      await eventually('another colour than that of a current result', colour, (now) => now !== fresh);
      await steps.picture(workbench, 'stale');
      for (let i = 0; i < 4; i++) await page.keyboard.press('Backspace');
      await workbench.annotated('metric magnitude', NUMBER);
    },
  );

  await steps.step(
    workbench,
    'a text that changes makes its results stale; restored it is recognised by its hash',
    async () => {
      const text = path.join(workspace, 'data/test.txt');
      const content = readFileSync(text);
      writeFileSync(text, Buffer.concat([content, Buffer.from('one more line\n')]));
      try {
        await workbench.annotated('metric wanda', /^stale: ppl/);
        await workbench.hoverAnnotation('metric wanda', /text has changed/);
      } finally {
        writeFileSync(text, content);
      }
      await workbench.annotated('metric wanda', NUMBER);
    },
  );

  await steps.step(workbench, 'an evaluation is cancelled by its lens within two seconds', async () => {
    await workbench.openFile('long.prune');
    await workbench.clickLens('metric slow', 'Evaluate');
    await workbench.annotated('metric slow', /block \d of \d · \d+ %$/, 90_000);
    const began = performance.now();
    await workbench.clickLens('metric slow', 'Cancel');
    await workbench.lens('metric slow', 'Evaluate');
    const seconds = (performance.now() - began) / 1000;
    // After two seconds the worker is ended; the other one is for the window to hear of it and to draw it.
    check(seconds < 3, `it took ${seconds.toFixed(1)} s`);
    await workbench.annotated('metric slow', /^$/);
  });

  await steps.step(workbench, 'one that takes long has a notification with progress and Cancel', async () => {
    await workbench.clickLens('metric slow', 'Evaluate');
    await workbench.notification(/slow: .*block \d of \d/s, 60_000);
    await steps.picture(workbench, 'notification');
    await workbench.answer(/slow: /, 'Cancel');
    await workbench.lens('metric slow', 'Evaluate');
  });

  await steps.step(workbench, 'an evaluation that cannot work says what is wrong and what to do', async () => {
    await workbench.openFile('broken.prune');
    await workbench.clickLens('metric lost', 'Evaluate');
    const text = await workbench.notification(/Evaluating lost failed/);
    check(text.includes('models/missing') && text.includes('Show Log'), text);
    await workbench.annotated('metric lost', /^✗ .*missing/);
    await steps.picture(workbench, 'failure');
    await workbench.dismissNotifications();
  });
}
