import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EspalierError } from '../../src/base/errors.ts';
import type { CommandContext } from '../../src/cli/commands/commandContext.ts';
import { runsCommand } from '../../src/cli/commands/runsCommand.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import { runSearchOf } from '../../src/coordinator/coordinator.ts';
import { RunFollower } from '../../src/extension/search/runFollower.ts';
import { RunLibrary } from '../../src/extension/search/runLibrary.ts';
import { EvaluationStore } from '../../src/runs/evaluationStore.ts';
import { createRecord } from '../../src/runs/evaluationRecord.ts';
import { evaluationOfRun } from '../../src/runs/runEvaluation.ts';
import {
  createRun,
  deleteRun,
  findRun,
  JOURNAL_FILE,
  LOG_FILE,
  openRun,
  RUN_FILE,
  RUNS_FOLDER,
} from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { LOCK_FILE } from '../../src/runs/runLock.ts';
import { listRuns } from '../../src/runs/runSummary.ts';
import { ScriptedWorker } from '../coordinator/scriptedWorker.ts';
import { FakeClock } from '../extension/fakeWorker.ts';
import { samplePlan, sampleResult } from '../protocol/samples.ts';
import { planOf } from '../search/metrics/simulation.ts';

/*
 * What a cloned repository can bring in the place of each part of a run, against everything that is done with runs: it ends at once,
 * with a coded error or without, and nothing outside of the workspace is changed.
 */

const PLAN = planOf({ population: 6, generations: 2, elites: 2, finalists: 1, seed: 3 }, {});

let base: string;
/** Holds a run that was stopped half way. */
let template: string;
let id: string;
let count = 0;
const server = createServer();

function drive(run: RunFolder): Promise<unknown> {
  return runSearchOf(run, { spawn: () => new ScriptedWorker({}), signal: new AbortController().signal });
}

const begin = (root: string): Promise<RunFolder> =>
  createRun(
    { ...PLAN, model: path.join(root, 'model'), text: path.join(root, 'text.txt') },
    { root, createdAt: new Date(1763804575000), versions: {} },
  );

beforeAll(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'espalier-hostile-'));
  template = path.join(base, 'template');
  const run = await begin(template);
  id = run.record.id;
  await drive(run);
  const journal = path.join(run.folder, JOURNAL_FILE);
  const lines = (await readFile(journal, 'utf8')).split('\n');
  await writeFile(
    journal,
    lines
      .slice(0, 25)
      .map((line) => `${line}\n`)
      .join(''),
  );
  await mkdir(path.join(template, '.espalier', 'evaluations'));
  await new Promise<void>((resolve) => server.listen(path.join(base, 'socket'), resolve));
});

afterAll(async () => {
  server.close();
  await rm(base, { recursive: true, force: true });
});

interface Case {
  readonly root: string;
  readonly outside: string;
}

type Bring = (place: string, target: string) => unknown;

/** Puts something in the place of a file or folder; `target` is one like it, outside of the workspace. */
const LINKS: Readonly<Record<string, Bring>> = {
  'a link': (place, target) => symlink(target, place),
  'a relative link': (place, target) => symlink(path.relative(path.dirname(place), target), place),
  'a link to nothing': (place, target) => symlink(`${target}-nowhere`, place),
  'a chain of links': async (place, target) => {
    await symlink(target, `${place}.other`);
    await symlink(`${path.basename(place)}.other`, place);
  },
  'a loop of links': (place) => symlink(path.basename(place), place),
};

const SPECIAL: Readonly<Record<string, Bring>> = {
  'a pipe': (place) => execFileSync('mkfifo', [place]),
  'a socket': (place) => rename(path.join(base, 'socket'), place),
  'a link to a device without end': (place) => symlink('/dev/zero', place),
  'a link to a pipe': (place, target) => {
    execFileSync('mkfifo', [`${target}.pipe`]);
    return symlink(`${target}.pipe`, place);
  },
};

const NOT_A_FILE: Readonly<Record<string, Bring>> = { 'a folder': (place) => mkdir(place) };
const NOT_A_FOLDER: Readonly<Record<string, Bring>> = { 'a file': (place) => writeFile(place, 'mine') };

const runPath = (root: string, ...rest: string[]): string => path.join(root, RUNS_FOLDER, id, ...rest);

const FILES: readonly string[] = [RUN_FILE, JOURNAL_FILE, LOG_FILE, LOCK_FILE];
const FOLDERS: Readonly<Record<string, (root: string) => string>> = {
  'the run': (root) => runPath(root),
  'all runs': (root) => path.join(root, RUNS_FOLDER),
  '.espalier': (root) => path.join(root, '.espalier'),
};

const PLACES: readonly (readonly [string, string, (root: string) => string, Bring])[] = [
  ...FILES.flatMap((name) =>
    Object.entries({ ...LINKS, ...SPECIAL, ...NOT_A_FILE }).map(
      ([what, bring]) => [name, what, (root: string) => runPath(root, name), bring] as const,
    ),
  ),
  ...Object.entries(FOLDERS).flatMap(([name, of]) =>
    Object.entries({ ...LINKS, 'a pipe': SPECIAL['a pipe']!, ...NOT_A_FOLDER }).map(
      ([what, bring]) => [name, what, of, bring] as const,
    ),
  ),
];

/** What is tried every time; `npm run test:slow` tries all. */
const OFTEN = ['a link', 'a pipe', 'a folder', 'a file'];

const OPERATIONS: Readonly<Record<string, (at: Case) => Promise<unknown>>> = {
  list: ({ root }) => listRuns(root),
  show: async ({ root }) => {
    await runs(root, 'show', id);
    await runs(root, 'show', id, '--json');
  },
  resume: async ({ root }) => drive(await openRun(await findRun(root, id))),
  // Whoever names the folder itself, as the editor does, is refused likewise.
  'resume by folder': async ({ root }) => drive({ ...(await openRun(runPath(template))), folder: runPath(root), root }),
  delete: async ({ root }) => deleteRun(await findRun(root, id)),
  'delete by folder': ({ root }) => deleteRun(runPath(root)),
  export: async ({ root }) => evaluationOfRun(await openRun(runPath(root))),
  begin: ({ root }) => begin(root),
  'view in the editor': async ({ root }) => {
    const library = new RunLibrary({ roots: () => [root], clock: new FakeClock(), onChange: () => undefined });
    await library.load();
    await library.load();
  },
  'follow in the editor': async ({ root }) => {
    const run = { ...(await openRun(runPath(template))), folder: runPath(root), root };
    const follower = new RunFollower(run, { clock: new FakeClock(), onRecords: () => undefined });
    await follower.look();
    await follower.look();
    follower.dispose();
    expect(follower.error?.code).not.toBe('internal');
  },
  'keep an evaluation': async ({ root }) => {
    const store = new EvaluationStore(root, () => undefined);
    const context = { root, document: path.join(root, 'metrics.prune'), savedAt: new Date(0) };
    await store.load();
    await store.save(createRecord(samplePlan(), sampleResult(), context));
  },
};

/** `espalier runs …`: what it prints, and its exit code. */
async function runs(root: string, ...words: string[]): Promise<{ out: string; err: string; code: number }> {
  const written = { out: '', err: '', code: -1 };
  const stream = (name: 'out' | 'err') => ({ write: (text: string) => ((written[name] += text), true), isTTY: false });
  const terminal = createTerminal(stream('out'), stream('err'), {});
  const context = { terminal, folder: root, finish: (code: number) => (written.code = code) };
  await runsCommand(context as unknown as CommandContext).parseAsync(words, { from: 'user' });
  return written;
}

/** A workspace with the run, and a copy of it outside, in which a link of the workspace may lead. */
async function newCase(): Promise<Case> {
  const at = path.join(base, String(count++));
  const [root, outside] = [path.join(at, 'workspace'), path.join(at, 'outside')];
  for (const copy of [root, outside]) await cp(template, copy, { recursive: true });
  await writeFile(path.join(outside, RUNS_FOLDER, id, LOG_FILE), 'precious\n');
  await writeFile(path.join(outside, RUNS_FOLDER, id, LOCK_FILE), 'precious\n');
  return { root, outside };
}

async function bringTo({ root, outside }: Case, of: (root: string) => string, bring: Bring): Promise<void> {
  if (!existsSync(path.join(base, 'socket'))) {
    server.close();
    await new Promise<void>((resolve) => server.listen(path.join(base, 'socket'), resolve));
  }
  await rm(of(root), { recursive: true, force: true });
  await bring(of(root), of(outside));
}

/** All that a folder holds: names, kinds, contents and times. */
async function pictureOf(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder, { recursive: true })).sort();
  return Promise.all(
    names.map(async (name) => {
      const file = path.join(folder, name);
      const found = await lstat(file);
      const content = found.isFile()
        ? await readFile(file, 'latin1')
        : found.isSymbolicLink()
          ? await readlink(file)
          : '';
      return `${name} ${found.mode} ${found.mtimeMs} ${content}`;
    }),
  );
}

type Outcome = 'done' | EspalierError;

/** Ends with the coded error that it fails with; anything else that is thrown, and waiting, fails the test. */
async function outcomeOf(work: Promise<unknown>): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error('it hangs'));
    }, 20_000);
  });
  try {
    await Promise.race([work, late]);
    return 'done';
  } catch (error) {
    if (!(error instanceof EspalierError) || error.code === 'internal') throw error;
    return error;
  } finally {
    clearTimeout(timer);
  }
}

describe.skipIf(process.platform === 'win32')('nothing outside of the workspace is read or changed where', () => {
  it.each(process.env['ESPALIER_SLOW'] ? PLACES : PLACES.filter(([, what]) => OFTEN.includes(what)))(
    '%s is %s',
    async (name, _what, of, bring) => {
      for (const [operation, act] of Object.entries(OPERATIONS)) {
        const at = await newCase();
        await bringTo(at, of, bring);
        const before = await pictureOf(at.outside);
        const outcome = await outcomeOf(act(at));
        expect(await pictureOf(at.outside), `${operation} leaves what is outside as it is`).toEqual(before);
        if (outcome === 'done') continue;
        const { code, data } = outcome;
        expect(code, operation).toMatch(/^(io\/(read|write)|runs\/(not-found|in-use)|settings\/invalid)$/);
        expect(data.remedy, operation).toMatch(/\.$/);
        if (name in FOLDERS && code.startsWith('io/')) expect(data.file ?? data.operation).toContain('.espalier');
      }
    },
  );
});

describe.skipIf(process.platform === 'win32')('a link in the place of', () => {
  const linked = async (of: (root: string) => string): Promise<Case> => {
    const at = await newCase();
    await bringTo(at, of, LINKS['a link']!);
    return at;
  };

  it.each(Object.entries(FOLDERS))('%s: resuming and deleting are refused, and say what to do', async (name, of) => {
    const at = await linked(of);
    for (const operation of ['resume by folder', 'delete by folder', 'delete'] as const) {
      const outcome = await outcomeOf(OPERATIONS[operation]!(at));
      expect(outcome, operation).toBeInstanceOf(EspalierError);
      const { data } = outcome as EspalierError;
      expect(data.code).toMatch(/^io\//);
      expect(data.actual).toContain(`${of(at.root)}, which is a link`);
      expect(data.remedy).toContain('mount it there');
    }
    expect(await outcomeOf(begin(at.root))).toEqual(name === 'the run' ? 'done' : expect.any(EspalierError));
  });

  it.each([RUN_FILE, JOURNAL_FILE])(
    '%s: the run cannot be read, the others can, and it can be deleted',
    async (name) => {
      const at = await linked((root) => runPath(root, name));
      const other = await begin(at.root);
      const listed = await runs(at.root, 'list', '--json');
      const states = listed.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { id: string; state: string; error?: { actual: string } });
      expect(listed.code).toBe(0);
      expect(states.find((run) => run.id === other.record.id)?.state).toBe('interrupted');
      expect(states.find((run) => run.id === id)).toMatchObject({ state: 'unreadable', error: { actual: 'a link' } });
      expect(
        (await outcomeOf(
          drive(await openRun(runPath(template)).then((run) => ({ ...run, folder: runPath(at.root) }))),
        )) !== 'done',
      ).toBe(name === JOURNAL_FILE);
      await deleteRun(runPath(at.root));
      expect(existsSync(runPath(at.root))).toBe(false);
      expect(existsSync(runPath(at.outside, name))).toBe(true);
    },
  );

  it('a run: it is listed by its name, as one that cannot be read', async () => {
    const { root } = await linked((of) => runPath(of));
    expect(await listRuns(root)).toMatchObject([
      { id, error: { code: 'io/read', remedy: expect.stringContaining('mount') as string } },
    ]);
  });

  it('all runs: the list says so, and the editor shows it in its place', async () => {
    const { root } = await linked((of) => path.join(of, RUNS_FOLDER));
    const good = await newCase();
    expect(((await outcomeOf(listRuns(root))) as EspalierError).data).toMatchObject({
      code: 'io/read',
      file: path.join(root, RUNS_FOLDER),
    });
    const library = new RunLibrary({
      roots: () => [root, good.root],
      clock: new FakeClock(),
      onChange: () => undefined,
    });
    await library.load();
    expect(library.runs.map((run) => run.id).sort()).toEqual([RUNS_FOLDER, id].sort());
    const shown = library.runs;
    await library.load();
    expect(library.runs.every((run) => shown.includes(run))).toBe(true);
  });
});

describe('a run that is made to be hard to read', () => {
  it('is listed and shown at once where its journal is a hundred gigabytes without an end', async () => {
    const { root } = await newCase();
    const file = runPath(root, JOURNAL_FILE);
    const good = (await lstat(file)).size;
    for (const size of [good + 300 * 2 ** 20, 100 * 2 ** 30]) {
      await truncate(file, size);
      const began = performance.now();
      const [listed] = await listRuns(root);
      expect(performance.now() - began).toBeLessThan(20_000);
      expect(listed).toMatchObject({ id });
      const shown = await outcomeOf(runs(root, 'show', id));
      expect(shown === 'done' || shown.code === 'io/read').toBe(true);
      expect(await outcomeOf(OPERATIONS['resume']!({ root, outside: '' }))).toMatchObject({
        code: size > good * 2 ** 20 ? 'io/read' : (expect.stringMatching(/damaged|read/) as string),
      });
      expect((await lstat(file)).size).toBe(size);
    }
  });

  it.each([
    ['a deep nest', () => '['.repeat(8 << 20)],
    ['a deep nest that ends', () => '['.repeat(1 << 20) + ']'.repeat(1 << 20)],
    [
      'a deep formula',
      (text: string) =>
        text.replace(
          '"seeds": [',
          `"seeds": [{"metric":"x","expression":${'{"kind":"operation","operation":"neg","arguments":['.repeat(5000)}0${']}'.repeat(5000)}},`,
        ),
    ],
    ['millions of objects', () => `[${'{},'.repeat(12 << 20)}0]`],
    ['millions of names', () => `{${Array.from({ length: 5_000_000 }, (_, i) => `"${i}":0`).join()}}`],
    ['one huge text', () => JSON.stringify('x'.repeat(60 << 20))],
    ['more than any', () => ' '.repeat((64 << 20) + 1)],
    ['a prototype', (text: string) => text.replace('{', '{"__proto__": {"id": "x"}, "constructor": 1,')],
    ['a number that is none', (text: string) => text.replace(/"seed": \d+/, '"seed": 1e999')],
    [
      'a date that is none',
      (text: string) => text.replace(/"createdAt": "[^"]*"/, '"createdAt": "2026-02-31T25:61:61Z"'),
    ],
    ['another format', (text: string) => text.replace('espalier-run-2', 'espalier-run-3')],
    ['nothing', () => ''],
    ['no text', () => '\u0000\u0000'],
    ['null', () => 'null'],
  ])('by %s in its run.json is told by its name, and hides no other', async (_, change) => {
    const { root } = await newCase();
    const other = await begin(root);
    const file = runPath(root, RUN_FILE);
    const text = await readFile(file, 'utf8');
    const changed = change(text);
    expect(changed === text).toBe(false);
    await writeFile(file, changed);
    const began = performance.now();
    const listed = await listRuns(root);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(listed).toHaveLength(2);
    expect(listed.find((run) => run.id === id)).toMatchObject({
      error: { code: expect.stringMatching(/^(runs\/format|io\/read)$/) as string, file },
    });
    expect(listed.find((run) => run.id === other.record.id)).toMatchObject({ state: 'interrupted' });
  });

  it('is called by the name of its folder, whatever its run.json says', async () => {
    const { root } = await newCase();
    const copy = path.join(root, RUNS_FOLDER, 'a-copy');
    await cp(runPath(root), copy, { recursive: true });
    const { out } = await runs(root, 'list', '--json');
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: string }).id),
    ).toEqual(['a-copy', id]);
    await runs(root, 'delete', 'a-copy');
    expect(await readdir(path.join(root, RUNS_FOLDER))).toContain(id);
    expect(existsSync(copy)).toBe(false);
  });

  it('is deleted alone: the folder of all runs is not taken for one', async () => {
    const { root } = await newCase();
    for (const folder of [
      path.join(root, RUNS_FOLDER),
      root,
      path.join(root, '.espalier'),
      path.join(runPath(root), 'deeper'),
    ]) {
      const outcome = await outcomeOf(deleteRun(folder));
      expect((outcome as EspalierError).code).toBe('runs/not-found');
    }
    expect(existsSync(runPath(root, RUN_FILE))).toBe(true);
  });
});
