import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runSearchOf } from '../../../src/coordinator/coordinator.ts';
import { forkWorker } from '../../../src/protocol/workerProcess.ts';
import { createRun, JOURNAL_FILE, openRun } from '../../../src/runs/runFolder.ts';
import { planOf } from '../../../src/runs/runRecord.ts';
import { hasRedis, startRedis, WITHOUT_REDIS } from '../../support/queueServers.ts';
import type { Stage } from '../main.ts';
import { QueueWorkers } from '../queueWorkers.ts';
import { panelOf, pause, progressOf, runsOf } from '../searchPanel.ts';
import { check, eventually, insist } from '../steps.ts';
import { THEMES } from '../workbench.ts';

const SECRET = 'open-sesame-4711';

/** Takes long enough for a worker to be missed and another to come. */
const FILE = `model  tiny  = "models/tiny"
corpus test  = "data/test.txt"
corpus calib = "data/valid.txt"

defaults {
  model: tiny
  evaluate: test (length: 128, blocks: 24)
  calibrate: calib (samples: 16, seed: 0)
}

search shared {
  at: 50%
  method: pruner-zero
  population: 30
  generations: 9
  seed: 1
}
`;
const SEARCH = FILE.split('\n').indexOf('search shared {') + 1;

/** Searching over a queue: set up with a password, workers that come, are killed and join, the same end; then computed here again. */
export async function queue(stage: Stage): Promise<void> {
  if (!hasRedis) {
    console.log(`  all of it${WITHOUT_REDIS}`);
    return;
  }
  const redis = await startRedis(['--requirepass', SECRET]);
  const { root, workspace, workbench } = stage;
  const workers = new QueueWorkers({ root, workspace, address: redis.url, password: SECRET });
  try {
    const told = { ...stage, url: redis.url, queueWorkers: workers };
    if ((await settingUp(told)) && (await sharing(told))) {
      await comparing(told);
      await comingHome(told);
    }
  } finally {
    await workbench.page.setViewportSize({ width: 1280, height: 800 });
    await workers.stop();
    await redis.dispose();
  }
}

interface QueueStage extends Stage {
  /** Of the server, without its password. */
  readonly url: string;
  readonly queueWorkers: QueueWorkers;
}

/** What the card says of who works. */
function workersText({ workbench }: QueueStage): Promise<string> {
  return panelOf(workbench).locator('section.workers').innerText();
}

/** @returns whether there is a queue now */
async function settingUp(stage: QueueStage): Promise<boolean> {
  const { steps, workbench, workspace, work, url } = stage;
  const { page } = workbench;
  const widget = page.locator('.quick-input-widget');
  const input = widget.locator('input').first();
  let isDone = false;

  await steps.step(
    workbench,
    'a queue is set up: what is no address is refused, a password goes to the keychain',
    async () => {
      await workbench.closeEditors();
      await page.locator('.activitybar [aria-label^="Espalier"]').first().waitFor();
      writeFileSync(path.join(workspace, 'queue.prune'), FILE);
      await workbench.command('Espalier: Show the Queue');
      await insist(
        'the refusal of another scheme',
        () => input.fill('http://queue', { timeout: 5000 }),
        () => widget.getByText('one that starts with http:').isVisible(),
      );
      await steps.picture(workbench, 'address refused');
      await insist(
        'the address taken',
        async () => {
          await input.fill(url.replace('//', `//:${SECRET}@`), { timeout: 5000 });
          await input.press('Enter', { timeout: 5000 });
        },
        () => widget.isHidden(),
      );
      const settings = (): string => settingsBelow(path.join(work, 'editor/user'));
      await eventually('the setting', settings, (text) => text.includes(url));
      check(!settings().includes(SECRET), 'the password stands in the settings');
      isDone = true;
    },
  );

  await steps.step(workbench, 'Show the Queue says that nobody is there, and what to do', async () => {
    await workbench.command('Espalier: Show the Queue');
    await eventually(
      'nobody',
      () => input.getAttribute('placeholder'),
      (text) => text?.startsWith('Nobody is there yet') ?? false,
      30_000,
    );
    await steps.picture(workbench, 'queue without anybody');
    await workbench.closeQuickInput();
  });

  await steps.step(workbench, 'a password in the settings file is moved, and that is said', async () => {
    const file = machineSettings(path.join(work, 'editor/user'), url);
    writeFileSync(file, readFileSync(file, 'utf8').replace(url, url.replace('//', `//:${SECRET}@`)));
    await workbench.notification(/moved to the keychain/);
    await steps.picture(workbench, 'password moved');
    check(!readFileSync(file, 'utf8').includes(SECRET), 'the password stands in the settings');
    await workbench.dismissNotifications();
  });
  return isDone;
}

/** @returns whether a run has come to its end */
async function sharing(stage: QueueStage): Promise<boolean> {
  const { steps, workbench, workspace, url, queueWorkers, workers } = stage;
  const { page } = workbench;
  const panel = panelOf(workbench);
  const card = panel.locator('section.workers');
  const progress = (): Promise<string> => progressOf(panel);
  const text = (): Promise<string> => workersText(stage);
  /** With what workers say of themselves, for whoever looks why it did not come to that. */
  const told = async (): Promise<string> => `${await text()}\n\n${queueWorkers.lastWords()}`;
  const before = runsOf(workspace).length;
  let isFinished = false;

  await steps.step(workbench, 'a search over it waits for workers, and says how one is started', async () => {
    await workbench.openFile('queue.prune');
    await workbench.goTo(SEARCH);
    await workbench.clickLens('search shared', 'Evolve', { milliseconds: 60_000 });
    await card.waitFor({ timeout: 60_000 });
    await eventually('nobody', text, (all) => all.includes('Nobody is there yet'), 60_000);
    const said = await text();
    for (const part of [`over ${url}/0`, `espalier worker --queue ${url}`, 'ESPALIER_QUEUE_PASSWORD'])
      check(said.includes(part), said);
    check(!said.includes(SECRET), said);
    await steps.picture(workbench, 'nobody is there');
    await card.getByRole('button', { name: 'Copy the command' }).click();
    await workbench.notification(new RegExp(`Copied: espalier worker --queue ${url}`));
    await workbench.dismissNotifications();
  });
  if (runsOf(workspace).length === before) return false;

  await steps.step(workbench, 'two workers join, and the panel says who they are and what they do', async () => {
    queueWorkers.start('first');
    queueWorkers.start('second');
    await eventually('both at work', told, (all) => all.includes('2 workers at work'), 120_000);
    await eventually('a generation', progress, (all) => /generation [2-9] \/ 9/.test(all), 180_000);
    const rows = await card.locator('tbody tr').allInnerTexts();
    check(
      rows.length === 2 && /first[\s\S]*works for this run/.test(rows[0]!) && rows[1]!.includes('second'),
      rows.join(),
    );
    const item = page.locator('.statusbar-item[id*="espalier.searches"]');
    check((await item.innerText()).includes(`over ${url}/0`), await item.innerText());
    await steps.picture(workbench, 'two workers');
  });

  await steps.step(
    workbench,
    'the password is in no command line and no environment of the editor’s processes',
    async () => {
      const pids = workers();
      check(pids.length > 0, 'no process of the search');
      for (const pid of pids)
        for (const name of ['cmdline', 'environ'])
          check(!readFileSync(`/proc/${pid}/${name}`, 'utf8').includes(SECRET), `${name} of ${pid}`);
      await Promise.resolve();
    },
  );

  await steps.step(workbench, 'one is killed while the panel shows it: it is missed, and the run goes on', async () => {
    await queueWorkers.kill('first');
    const said = await eventually('the one that is missed', text, (all) => all.includes('1 lost'), 90_000);
    check(/first[\s\S]*not seen[\s\S]*s ago/.test(said), said);
    check(/second[\s\S]*works for this run/.test(said), said);
    await steps.picture(workbench, 'one killed');
  });

  await steps.step(workbench, 'another joins, and Show the Queue names the run and all that are there', async () => {
    queueWorkers.start('third');
    await eventually('the third at work', told, (all) => /third\s[^\n]*works for this run/.test(all), 120_000);
    await steps.picture(workbench, 'another joins');
    await workbench.command('Espalier: Show the Queue');
    await eventually(
      'run and workers',
      () => workbench.choices(),
      (rows) => ['shared', 'second', 'third'].every((name) => rows.some((row) => row.includes(name))),
      30_000,
    );
    await steps.picture(workbench, 'queue with workers');
    await workbench.closeQuickInput();
  });

  await steps.step(workbench, 'the list in every theme, wide and narrow; it folds, and stays so', async () => {
    await workbench.closeTab('queue.prune');
    for (const [name, theme] of Object.entries(THEMES)) {
      await workbench.chooseTheme(theme);
      await steps.picture(workbench, `workers ${name}`);
    }
    await page.setViewportSize({ width: 640, height: 900 });
    await steps.picture(workbench, 'workers narrow');
    await page.setViewportSize({ width: 1280, height: 800 });
    const fold = card.getByRole('button', { name: 'Hide list' });
    await fold.focus();
    await fold.press('Enter');
    check(
      (await card.locator('table').count()) === 1 && !(await card.locator('table').isVisible()),
      'it does not fold',
    );
    check((await text()).includes('Show list'), await text());
    await card.getByRole('button', { name: 'Show list' }).press('Space');
    check(await card.locator('table').isVisible(), 'it does not unfold');
  });

  await steps.step(workbench, 'the search comes to its end, and nobody is shown any more', async () => {
    const end = await eventually('the end', progress, (all) => /^(finished|failed)/.test(all), 300_000);
    check(end.startsWith('finished'), `${await panel.locator('.banner').innerText()}\n${queueWorkers.lastWords()}`);
    await card.waitFor({ state: 'hidden' });
    isFinished = true;
    await steps.picture(workbench, 'finished over the queue');
  });
  return isFinished;
}

/** The same search on this machine alone. */
async function comparing({ steps, workbench, workspace, root }: QueueStage): Promise<void> {
  await steps.step(
    workbench,
    'event for event it is what this machine finds alone, and nothing of it names the password',
    async () => {
      const folder = path.join(workspace, '.espalier/runs', runsOf(workspace).sort().at(-1)!);
      const { record } = await openRun(folder);
      const alone = await createRun(planOf(record, workspace), {
        root: workspace,
        createdAt: new Date(),
        versions: {},
      });
      await runSearchOf(alone, {
        spawn: () => forkWorker({ file: path.join(root, 'dist/worker.cjs'), log: () => undefined }),
        signal: new AbortController().signal,
        workers: 2,
      });
      const [over, here] = [folder, alone.folder].map((each) => eventsIn(each));
      check(over!.length > 100, `${over!.length} events`);
      over!.forEach((event, i) => {
        check(event === here![i], `event ${i}: ${event} over the queue, ${here![i] ?? 'none'} here`);
      });
      check(over!.length === here!.length, `${over!.length} events over the queue, ${here!.length} here`);
      for (const name of readdirSync(folder)) {
        const file = path.join(folder, name);
        check(!readFileSync(file, 'utf8').includes(SECRET), `the password is in ${name}`);
      }
    },
  );
}

/** In what order portions come back is no part of what is found. */
const PORTIONS = ['measured', 'probed', 'resumed'];

/** What a run has found, in order, but for how long it took. */
function eventsIn(folder: string): string[] {
  const lines = readFileSync(path.join(folder, JOURNAL_FILE), 'utf8').trimEnd().split('\n');
  return lines
    .map((line) => (JSON.parse(line) as { event: { kind: string } }).event)
    .filter(({ kind }) => !PORTIONS.includes(kind))
    .map((event) => JSON.stringify(event, (key, value: unknown) => (key === 'seconds' ? undefined : value)));
}

/** A run is not bound to where it is computed. */
async function comingHome(stage: QueueStage): Promise<void> {
  const { steps, workbench, workspace, work, url, queueWorkers, workers } = stage;
  const panel = panelOf(workbench);
  const card = panel.locator('section.workers');

  await steps.step(workbench, 'a run that nobody answers goes on here when the setting is cleared', async () => {
    await queueWorkers.stop();
    await workbench.closeEditors();
    await workbench.openFile('queue.prune');
    await workbench.goTo(SEARCH);
    await workbench.clickLens('search shared', 'Evolve', { milliseconds: 60_000 });
    await card.waitFor({ timeout: 60_000 });
    await workbench.command('Espalier: Show the Queue');
    const widget = workbench.page.locator('.quick-input-widget');
    // Rows above come and go: a click could meet another one by then.
    await insist(
      'the row taken',
      async () => {
        const input = widget.locator('input').first();
        await input.fill('Compute on this machine again', { timeout: 5000 });
        await input.press('Enter', { timeout: 5000 });
      },
      () => widget.isHidden(),
    );
    await workbench.notification(/Paused and resumed, it is computed on this machine/);
    await steps.picture(workbench, 'setting cleared');
    await workbench.answer(/Paused and resumed/, 'Move Now');
    await card.waitFor({ state: 'hidden', timeout: 60_000 });
    await eventually(
      'a generation on this machine',
      () => progressOf(panel),
      (all) => /generation [2-9] \/ 9/.test(all),
      180_000,
    );
    await steps.picture(workbench, 'computed here again');
    check(!settingsBelow(path.join(work, 'editor/user')).includes(url), 'the setting is not cleared');
    await pause(panel, workers);
  });

  await steps.step(workbench, 'the password is forgotten when somebody says so', async () => {
    await workbench.command("Espalier: Forget the Queue's Password");
    await workbench.pick(`${url}/0`);
    await workbench.notification(/password of .* is deleted/);
    await workbench.dismissNotifications();
    await workbench.closeEditors();
    check(runsOf(workspace).length > 0, 'no run');
  });
}

/** All settings files of the editor. */
function settingsBelow(user: string): string {
  return settingsFiles(user)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
}

/** The file that holds the machine's queue. */
function machineSettings(user: string, url: string): string {
  const file = settingsFiles(user).find((each) => readFileSync(each, 'utf8').includes(url));
  check(file !== undefined, 'no settings file names the queue');
  return file!;
}

function settingsFiles(user: string): string[] {
  return readdirSync(user, { recursive: true, encoding: 'utf8' })
    .filter((name) => path.basename(name) === 'settings.json')
    .map((name) => path.join(user, name));
}
