import { createHash } from 'node:crypto';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { stateFile } from '../../src/files/stateFiles.ts';
import { evaluationOfRun } from '../../src/runs/runEvaluation.ts';
import { createRun, JOURNAL_FILE } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { encodeLine, firstLink } from '../../src/runs/journalLine.ts';
import { keptBy, savingOf } from '../../src/runs/savedRecovery.ts';
import type { RecoveryEvent } from '../../src/search/recovery/events.ts';
import { failureOf } from '../support/expectCoded.ts';
import { maskPlan } from '../search/masks/simulation.ts';
import { recoveryPlan, recoveryProblem, stateAfter } from '../search/recovery/simulation.ts';

const roots: string[] = [];
afterEach(async () => {
  for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true });
});

/** A run whose journal says this. */
async function runWith(...events: readonly RecoveryEvent[]): Promise<RunFolder> {
  const root = await mkdtemp(path.join(tmpdir(), 'espalier-saved-'));
  roots.push(root);
  const file = (name: string): string => path.join(root, name);
  const plan = recoveryPlan({}, { model: file('model'), text: file('text'), train: file('train') });
  const run = await createRun(plan, { root, createdAt: new Date(0), versions: {} });
  let link = firstLink(run.record);
  const lines = events.map((event, seq) => {
    const encoded = encodeLine({ seq, at: 1000 + seq, event }, link);
    link = encoded.next;
    return encoded.line;
  });
  writeFileSync(path.join(run.folder, JOURNAL_FILE), lines.join(''));
  return run;
}

const OPENED: RecoveryEvent = { kind: 'opened', ...recoveryProblem().opening };

const STOPPED: RecoveryEvent = { kind: 'stopped', step: 120, reason: 'steps', detail: 'all 120 steps are done' };

function finished(kept: number): RecoveryEvent {
  const state = kept === 0 ? null : createHash('sha256').update(stateAfter(kept)).digest('hex');
  return { kind: 'finished', steps: 120, kept, loss: 3.5, state };
}

describe('what a finished recovery has kept', () => {
  it('is saved from its plan and its state', async () => {
    const run = await runWith(OPENED, STOPPED, finished(60));
    writeFileSync(stateFile(run.folder, 60), stateAfter(60));
    expect(await savingOf(run, 'adapter', '/to')).toMatchObject({
      plan: { kind: 'recovery', train: path.join(run.root, 'train') },
      point: { step: 60, folder: run.folder },
      ...{ as: 'adapter', to: '/to' },
    });
    const { report } = await keptBy(run);
    expect(report).toMatchObject({ steps: 120, kept: 60, reason: 'steps', heldOut: { after: Math.exp(3.5) } });
  });

  it.each<readonly [string, (file: string) => void]>([
    ['missing', () => undefined],
    [
      'another',
      (file) => {
        writeFileSync(file, stateAfter(61));
      },
    ],
    [
      'a link',
      (file) => {
        writeFileSync(`${file}.x`, stateAfter(60));
        symlinkSync(`${file}.x`, file);
      },
    ],
  ])('is refused where its state is %s', async (_, spoil) => {
    const run = await runWith(OPENED, STOPPED, finished(60));
    rmSync(stateFile(run.folder, 60), { force: true });
    spoil(stateFile(run.folder, 60));
    expect((await failureOf(() => savingOf(run, 'merged', '/to'))).code).toBe('runs/damaged');
  });

  it('is the model before where nothing was better, and no adapter', async () => {
    const run = await runWith(OPENED, STOPPED, finished(0));
    expect(await savingOf(run, 'merged', '/to')).toMatchObject({ point: { step: 0 } });
    expect((await failureOf(() => savingOf(run, 'adapter', '/to'))).code).toBe('settings/invalid');
  });

  it('is not there before the end, nor of a search; what it prunes and trains is an evaluation', async () => {
    const run = await runWith(OPENED);
    const error = await failureOf(() => savingOf(run, 'merged', '/to'));
    expect(error).toMatchObject({ code: 'settings/invalid', data: { actual: 'one that is at step 0 of 120' } });
    const { evaluations, train } = await evaluationOfRun(run);
    expect(train).toBe(path.join(run.root, 'train'));
    const { evaluation, recovery } = recoveryPlan();
    expect(evaluations).toEqual([{ ...evaluation, recovery }]);
    expect((await failureOf(() => evaluationOfRun(run, 3))).data.actual).toBe('a recovery, which has one result');
    const other = await createRun(maskPlan(), { root: run.root, createdAt: new Date(0), versions: {} });
    expect((await failureOf(() => savingOf(other, 'merged', '/to'))).code).toBe('settings/invalid');
  });
});
