import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { FrameLocator, Locator } from 'playwright-core';
import { eventually } from './steps.ts';
import type { Workbench } from './workbench.ts';

/** The page inside the panel: VS Code puts it into a frame within a frame. */
export function panelOf({ page }: Workbench): FrameLocator {
  return page.locator('iframe.webview.ready').first().contentFrame().frameLocator('#active-frame');
}

/** What the panel says of how far the search is. */
export function progressOf(panel: FrameLocator): Promise<string> {
  return panel.locator('.progress').innerText();
}

/** Presses Pause, and waits until no process of the search is left. */
export async function pause(panel: FrameLocator, workers: () => readonly number[]): Promise<void> {
  await panel.getByRole('button', { name: 'Pause' }).click();
  await eventually(
    'paused',
    () => progressOf(panel),
    (text) => text.startsWith('paused'),
    60_000,
  );
  // One may be the worker of evaluations.
  await eventually('no process of the search', workers, (pids) => pids.length <= 1, 60_000);
}

/** Presses Resume, and waits until the search goes on. */
export async function resume(panel: FrameLocator): Promise<void> {
  await panel.getByRole('button', { name: 'Resume' }).click();
  await eventually(
    'going on',
    () => progressOf(panel),
    (text) => !/paused|starting/.test(text),
    60_000,
  );
}

/** Ids of the workspace's runs. */
export function runsOf(workspace: string): string[] {
  const folder = path.join(workspace, '.espalier/runs');
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : [];
}

/** A picture for the documentation: from the panel's top to the end of its finalists. */
export async function photograph({ page }: Workbench, panel: FrameLocator, file: string): Promise<void> {
  const below = await panel.locator('main').evaluate((main) => {
    window.scrollTo(0, 0);
    const cards = main.querySelectorAll(
      'section[aria-label="Finalists"], section[aria-label="Before and after"], section[aria-label="Size and speed"]',
    );
    return Math.max(...[...cards].map((card) => card.getBoundingClientRect().bottom)) + 16 - window.innerHeight;
  });
  await page.setViewportSize({ width: 1280, height: Math.round(800 + below) });
  try {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await page.locator('.part.editor').screenshot({ path: file });
  } finally {
    await page.setViewportSize({ width: 1280, height: 800 });
  }
}

/** Waits until a canvas has more on it than its ground. */
export async function drawn(canvas: Locator): Promise<void> {
  await canvas.waitFor();
  await eventually(
    'something drawn',
    () =>
      canvas.evaluate((element) => {
        const { width, height } = element as HTMLCanvasElement;
        const context = (element as HTMLCanvasElement).getContext('2d');
        if (!context || width === 0 || height === 0) return 0;
        return new Set(new Uint32Array(context.getImageData(0, 0, width, height).data.buffer)).size;
      }),
    (colours) => colours > 3,
    30_000,
  );
}
