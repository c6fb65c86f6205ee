import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import type { HubServer } from '../hub/hubServer.ts';
import { makeHubCache, startHub } from './hubCache.ts';
import { processesOf, startServer } from './server.ts';
import type { Server } from './server.ts';
import { comparing } from './stories/comparing.ts';
import { crashing } from './stories/crashing.ts';
import { editing } from './stories/editing.ts';
import { evaluating } from './stories/evaluating.ts';
import { hub } from './stories/hub.ts';
import { looking } from './stories/looking.ts';
import { queue } from './stories/queue.ts';
import { recovering } from './stories/recovering.ts';
import { searching } from './stories/searching.ts';
import { structure } from './stories/structure.ts';
import { tasks } from './stories/tasks.ts';
import { tree } from './stories/tree.ts';
import { trusting } from './stories/trusting.ts';
import { eventually, Steps } from './steps.ts';
import { Workbench } from './workbench.ts';
import { makeWorkspace } from './workspace.ts';

export interface Surroundings {
  /** The checkout. */
  readonly root: string;
  readonly shared: string;
  /** Where VS Code is installed. */
  readonly vscode: string;
  /** Holds the VSIX and everything that the run writes. */
  readonly work: string;
  readonly pictures: string;
  /** Names of the stories to be told; all of them where it is empty. */
  readonly only: readonly string[];
}

/** What a story acts on. Stories follow each other in one window, as a day of work does. */
export interface Stage extends Surroundings {
  readonly steps: Steps;
  readonly workbench: Workbench;
  readonly server: Server;
  readonly workspace: string;
  /** The cache that the hub's models are in, and what the extension takes for the hub. */
  readonly cache: string;
  readonly hubServer: HubServer;
  /** Process ids of the workers of the installed extension. */
  readonly workers: () => number[];
}

const STORIES = {
  trusting,
  editing,
  evaluating,
  tree,
  crashing,
  looking,
  searching,
  structure,
  recovering,
  tasks,
  hub,
  queue,
  comparing,
};

/** Each can be told alone. */
export const STORY_NAMES = Object.keys(STORIES);

const CHROMIUM = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const SETTINGS = {
  'workbench.colorTheme': 'Default Dark Modern',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'security.workspace.trust.startupPrompt': 'never',
  'editor.minimap.enabled': false,
  'editor.autoClosingBrackets': 'never',
  'git.enabled': false,
  'chat.commandCenter.enabled': false,
};

/** What became of the steps; `failures` has a line for each one that failed. */
export interface Outcome {
  readonly passed: number;
  readonly failures: readonly string[];
}

export async function runStories(surroundings: Surroundings): Promise<Outcome> {
  const { shared, vscode, work, pictures, only } = surroundings;
  const stories = Object.entries(STORIES).filter(([name]) => only.length === 0 || only.includes(name));
  rmSync(pictures, { recursive: true, force: true });
  mkdirSync(pictures, { recursive: true });
  const steps = new Steps((name) => path.join(pictures, `${name.replace(/[^a-z0-9-]+/gi, '-').slice(0, 80)}.png`));
  const workspace = path.join(work, 'workspace');
  makeWorkspace(workspace, shared);
  const vsix = path.join(
    work,
    readdirSync(work).find((name) => name.endsWith('.vsix'))!,
  );
  const folder = path.join(work, 'editor');
  // The first story is about a folder that is not trusted yet; without it the others find one that is.
  const trust = stories.some(([name]) => name === 'trusting');
  const settings = { ...SETTINGS, 'security.workspace.trust.enabled': trust };
  const cache = path.join(work, 'hub');
  makeHubCache(cache, shared);
  const hubServer = await startHub(shared);
  const variables = { HF_HUB_CACHE: cache, HF_ENDPOINT: hubServer.endpoint, HF_HUB_OFFLINE: '', HF_TOKEN: '' };
  const server = await startServer({ vscode, folder, vsix, settings, variables });
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: CHROMIUM,
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    const workbench = new Workbench(page);
    const workers = (): number[] => processesOf('worker.cjs', folder);
    const stage: Stage = { ...surroundings, steps, workbench, server, workspace, cache, hubServer, workers };
    await workbench.open(server.url, workspace);
    for (const [name, story] of stories) {
      steps.begin(name);
      await story(stage);
    }
    steps.begin('leaving');
    await steps.step(undefined, 'closing the window leaves no process', async () => {
      await page.close({ runBeforeUnload: true });
      await browser.close();
      const left = (): number[] => [...workers(), ...processesOf('languageServer.cjs', folder)];
      await eventually('no process of the extension', left, (pids) => pids.length === 0, 30_000);
    });
  } finally {
    await browser.close();
    await server.stop();
    await hubServer.stop();
  }
  return steps;
}
