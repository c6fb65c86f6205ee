import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRun, RUN_FILE } from '../../src/runs/runFolder.ts';
import { planOf } from '../../src/runs/runRecord.ts';
import { failureOf } from '../support/expectCoded.ts';

const FIXTURE = path.join(import.meta.dirname, 'fixtures/run-1');

let root: string;
beforeAll(async () => (root = await mkdtemp(path.join(tmpdir(), 'espalier-plain-'))));
afterAll(() => rm(root, { recursive: true }));

/** The run of an earlier version, with another run.json. */
async function runWith(change: (run: { plan: Record<string, Record<string, unknown>> }) => void): Promise<string> {
  const folder = path.join(await mkdtemp(path.join(root, 'run-')), path.basename(FIXTURE));
  await cp(FIXTURE, folder, { recursive: true });
  const file = path.join(folder, RUN_FILE);
  const run = JSON.parse(await readFile(file, 'utf8')) as { plan: Record<string, Record<string, unknown>> };
  change(run);
  await writeFile(file, JSON.stringify(run));
  return folder;
}

describe('a run.json', () => {
  it.each<[what: string, setting: string, value: unknown, says: RegExp]>([
    ['another choice', 'group', 'column', /got "column" in plan\.settings\.group instead of one of row, layer/],
    ['another kind of value', 'samples', 'many', /got "many" in plan\.settings\.samples instead of a number/],
    [
      'too small a number',
      'length',
      1,
      /got 1 in plan\.settings\.length instead of 0, or a whole number from 2 to 1048576/,
    ],
    ['a setting to come', 'colour', 'red', /got colour in plan\.settings instead of only fields that are known here/],
  ])('with %s is refused in words', async (_, setting, value, says) => {
    const folder = await runWith(({ plan }) => {
      plan['settings']![setting] = value;
    });
    const failure = await failureOf(() => openRun(folder));
    expect(failure.code).toBe('runs/format');
    expect(failure.message).toMatch(says);
    expect(failure.message).not.toMatch(/Invalid|received/);
  });

  it('of before samples had a length of their own means that of blocks', async () => {
    const folder = await runWith(({ plan }) => {
      delete plan['settings']!['calibrationLength'];
    });
    const run = await openRun(folder);
    expect(planOf(run.record, root).settings.calibrationLength).toBe(0);
  });
});
