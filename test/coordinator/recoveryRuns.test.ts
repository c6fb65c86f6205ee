import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { SYSTEM_CLOCK } from '../../src/coordinator/clock.ts';
import type { SearchRunOptions } from '../../src/coordinator/coordinator.ts';
import { stateFile } from '../../src/files/stateFiles.ts';
import { createRun } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { summariseRun } from '../../src/runs/runSummary.ts';
import type { RecoveryPlan } from '../../src/search/recovery/plan.ts';
import { failureOf } from '../support/expectCoded.ts';
import { recoveryPlan, recoveryProblem, stateAfter } from '../search/recovery/simulation.ts';
import { driveScripted, eventsOf, storyOf } from './drivenRun.ts';
import type { Reaction, Script, ScriptedRequest } from './scriptedWorker.ts';

const roots: string[] = [];
afterEach(async () => {
  for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true });
});

/** A file that a link of a test leads to; nothing may be written there. */
function linkTarget(): string {
  const target = path.join(roots.at(-1)!, 'outside');
  writeFileSync(target, 'untouched');
  return target;
}

const SCRIPT: Script = { recovery: recoveryProblem() };

async function newRun(plan: RecoveryPlan = recoveryPlan()): Promise<RunFolder> {
  const root = await mkdtemp(path.join(tmpdir(), 'espalier-recovery-'));
  roots.push(root);
  const file = (name: string): string => path.join(root, name);
  const absolute = { ...plan, model: file('model'), text: file('text.txt'), train: file('train.txt') };
  return createRun(plan.test === undefined ? absolute : { ...absolute, test: file(plan.test) }, {
    root,
    createdAt: new Date(1763804575000),
    versions: { espalier: '1' },
  });
}

function drive(run: RunFolder, script: Partial<Script> = {}, options: Partial<SearchRunOptions> = {}) {
  return driveScripted(run, { ...SCRIPT, ...script }, options);
}

function statesOf(run: RunFolder): readonly string[] {
  return readdirSync(run.folder)
    .filter((name) => name.startsWith('state-'))
    .sort();
}

/** Paths of the run's own folder left out. */
async function portableStory(run: RunFolder): Promise<readonly string[]> {
  return (await storyOf(run)).map((line) => line.replaceAll(run.root, ''));
}

let story: Promise<readonly string[]> | undefined;
function uninterrupted(): Promise<readonly string[]> {
  story ??= (async () => {
    const run = await newRun();
    await drive(run);
    return portableStory(run);
  })();
  return story;
}

/** Stops the run at the n-th event. */
async function pausedAfter(run: RunFolder, count: number): Promise<void> {
  const controller = new AbortController();
  let seen = 0;
  await drive(
    run,
    {},
    {
      signal: controller.signal,
      onEvent: () => {
        if (++seen === count) controller.abort();
      },
    },
  );
}

describe('a recovery that is run', () => {
  it('ends with the best state alone, and evaluates what was before and after', async () => {
    const run = await newRun(recoveryPlan({}, { test: 'unseen.txt' }));
    const { outcome } = await drive(run);
    expect(outcome).toMatchObject({ kind: 'finished', finished: { kept: 60, steps: 120 } });
    expect(statesOf(run)).toEqual(['state-60']);
    const finalists = (await eventsOf(run)).filter((event) => event.kind === 'finalist');
    expect(finalists.map(({ name }) => name)).toEqual(['before', 'after']);
    const [before, after] = finalists;
    expect(after!.result!.perplexity).toBeCloseTo(before!.result!.perplexity - 0.6);
    expect(after!.test!.perplexity).toBeCloseTo(before!.test!.perplexity - 0.6);
    expect(after!.test!.metric).not.toBe(after!.result!.metric);
  });

  it('has no more states than the last and the best while it runs', async () => {
    const run = await newRun();
    const most: number[] = [];
    await drive(run, {
      react: () => {
        most.push(statesOf(run).length);
        return 'answer';
      },
    });
    expect(Math.max(...most)).toBeLessThanOrEqual(3);
  });

  it('comes to the same end wherever it is paused', async () => {
    const expected = await uninterrupted();
    for (let at = 1; at <= expected.length - 1; at++) {
      const run = await newRun();
      await pausedAfter(run, at);
      await drive(run);
      expect(await portableStory(run), `paused at event ${at}`).toEqual(expected);
      expect(statesOf(run)).toEqual(['state-60']);
    }
  });

  it.each<readonly [ScriptedRequest, string]>([
    ['open', ''],
    ['train', '40-60'],
    ['validate', '60'],
    ['evaluate', 'W'],
    ['recovered', '60'],
  ])('goes on where a worker dies at %s %s', async (request, about) => {
    let deaths = 0;
    const react = (asked: ScriptedRequest, of: readonly string[]): Reaction =>
      asked === request && (about === '' || of.includes(about)) && deaths++ === 0 ? 'die' : 'answer';
    const run = await newRun();
    await drive(run, { react });
    expect(deaths).toBeGreaterThan(0);
    expect(await portableStory(run)).toEqual(await uninterrupted());
  });

  it('fails where a portion ends two workers, and can be resumed', async () => {
    const run = await newRun();
    const react = (asked: ScriptedRequest, about: readonly string[]): Reaction =>
      asked === 'train' && about[0] === '40-60' ? 'die' : 'answer';
    expect((await failureOf(() => drive(run, { react }))).code).toBe('worker/exited');
    expect((await summariseRun(run.folder)).state).toBe('failed');
    await drive(run);
    expect(await portableStory(run)).toEqual(await uninterrupted());
  });

  it('does not ask again what the journal has', async () => {
    const run = await newRun();
    await pausedAfter(run, 8);
    const asked: string[] = [];
    await drive(run, {
      react: (request, about) => {
        asked.push([request, ...about].join(' '));
        return 'answer';
      },
    });
    expect(asked.filter((one) => one.startsWith('train'))).toEqual(['train 80-100', 'train 100-120']);
  });

  it.each<readonly [what: string, (file: string) => void, said: string]>([
    [
      'missing',
      (file) => {
        rmSync(file);
      },
      'is missing',
    ],
    [
      'another',
      (file) => {
        writeFileSync(file, stateAfter(41));
      },
      'is damaged',
    ],
    [
      'cut off',
      (file) => {
        writeFileSync(file, '');
      },
      'is damaged',
    ],
    [
      'a link',
      (file) => {
        rmSync(file);
        symlinkSync(linkTarget(), file);
      },
      'is not readable (a link)',
    ],
  ])('trains again what led to a state that is %s, and says so', async (_, spoil, said) => {
    const run = await newRun();
    await pausedAfter(run, 6);
    expect(statesOf(run)).toContain('state-60');
    spoil(stateFile(run.folder, 60));
    const told: string[] = [];
    const asked: string[] = [];
    await drive(
      run,
      {
        react: (request, about) => {
          if (request === 'train') asked.push(about[0]!);
          return 'answer';
        },
      },
      { onWait: (message) => told.push(message) },
    );
    expect(told).toEqual([`the state after 60 steps ${said}: steps 41 to 60 are trained again`]);
    expect(asked).toEqual(['40-60', '60-80', '80-100', '100-120']);
    const outside = path.join(run.root, 'outside');
    if (existsSync(outside)) expect(readFileSync(outside, 'utf8')).toBe('untouched');
    expect(await portableStory(run)).toEqual(await uninterrupted());
  });

  it('begins with the first step where no state is left', async () => {
    const run = await newRun();
    await pausedAfter(run, 6);
    for (const name of statesOf(run)) rmSync(path.join(run.folder, name));
    const told: string[] = [];
    await drive(run, {}, { onWait: (message) => told.push(message) });
    expect(told).toHaveLength(3);
    expect(await portableStory(run)).toEqual(await uninterrupted());
  });

  it('does not go on where the steps do not come out as they did', async () => {
    const run = await newRun();
    await pausedAfter(run, 6);
    rmSync(stateFile(run.folder, 60));
    const recovery = recoveryProblem({ lossAt: () => 3.2 });
    expect((await failureOf(() => drive(run, { recovery }))).code).toBe('runs/diverged');
  });

  it('does not go on with other texts or another model', async () => {
    const run = await newRun();
    await pausedAfter(run, 6);
    const opening = { fingerprint: 'another' };
    expect((await failureOf(() => drive(run, { opening }))).code).toBe('runs/changed');
  });

  it('stops a loss that is not finite with a reason, and keeps the best state', async () => {
    const run = await newRun();
    const recovery = recoveryProblem({ lossAt: (step) => (step === 87 ? null : 3) });
    const { outcome } = await drive(run, { recovery });
    expect(outcome).toMatchObject({ kind: 'finished', finished: { kept: 60, steps: 87 } });
    const stopped = (await eventsOf(run)).find((event) => event.kind === 'stopped');
    expect(stopped).toMatchObject({ reason: 'not-finite', detail: 'the loss of step 88 is not finite' });
  });

  it('keeps the model as it was where nothing is better, without a state', async () => {
    const run = await newRun();
    const { outcome } = await drive(run, { recovery: recoveryProblem({ before: 3 }) });
    expect(outcome).toMatchObject({ finished: { kept: 0, state: null } });
    expect(statesOf(run)).toEqual([]);
  });

  it('says that there is nothing after where what is pruned cannot be evaluated', async () => {
    const run = await newRun();
    const error = {
      ...({ code: 'metric/invalid-score', operation: 'pruning', expected: 'scores', actual: 'none' } as const),
      remedy: 'Choose another.',
    };
    await drive(run, { refuse: (about) => (about === 'W' ? error : undefined) });
    const finalists = (await eventsOf(run)).filter((event) => event.kind === 'finalist');
    expect(finalists.map(({ name, error: why }) => [name, why?.code])).toEqual([
      ['before', 'metric/invalid-score'],
      ['after', 'metric/invalid-score'],
    ]);
  });

  it('is summarised from the end of its journal', async () => {
    const run = await newRun();
    await pausedAfter(run, 7);
    expect(await summariseRun(run.folder)).toMatchObject({
      state: 'paused',
      generation: 59,
      best: { kind: 'recovery', step: 60, before: null, perplexity: Math.exp(3.5) },
    });
    await drive(run);
    const { state, best } = await summariseRun(run.folder);
    expect(state).toBe('finished');
    expect(best).toMatchObject({ kind: 'recovery', step: 60, before: expect.any(Number) as number });
  });

  it('uses one worker, whatever is asked', async () => {
    const run = await newRun();
    const { workers } = await drive(run, {}, { clock: SYSTEM_CLOCK });
    expect(workers).toHaveLength(1);
    expect(existsSync(run.folder)).toBe(true);
  });
});
