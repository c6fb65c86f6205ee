import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { FrameLocator } from 'playwright-core';
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
