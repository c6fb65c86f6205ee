import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { busReasons, busTable, candidateTable } from '../../bench/bus/busTable.ts';
import { type CrossingName, CROSSINGS } from '../../bench/bus/crossings.ts';
import { generateSmallModel } from '../../bench/bus/smallModel.ts';
import { type Trace, traceRuns } from '../../bench/bus/traceRuns.ts';
import { testDevices } from '../support/runGraph.ts';

const { devices, missing } = await testDevices();
afterAll(() => Promise.all(devices.map((device) => device.dispose())));

const PAGE = readFileSync(new URL('../../docs/devices.md', import.meta.url), 'utf8').split('\n');

const NAMES = Object.keys(CROSSINGS) as readonly CrossingName[];

describe.skipIf(missing !== undefined)('what crosses to WebGPU and back', () => {
  let trace: Trace;
  beforeAll(async () => {
    const folder = await generateSmallModel();
    trace = await traceRuns(folder, devices.at(-1)!);
    await rm(folder, { recursive: true });
  }, 60_000);

  test.each(NAMES)('%s: as the table counts it', (name) => {
    const counted = CROSSINGS[name].bytes(trace.shape);
    // How often a threshold is guessed the scores decide.
    if (name !== 'pruning') expect(trace.bytes[name]).toEqual(counted);
    else for (const way of ['up', 'down'] as const) expect(trace.bytes[name][way]).toBeGreaterThanOrEqual(counted[way]);
  });
});

test.each([
  ['what crosses at each kind of run', busTable()],
  ['what it is, and why', busReasons()],
  ['candidates', candidateTable('7b')],
])('docs/devices.md has the lines of bench:bus: %s', (_, lines) => {
  const begin = PAGE.indexOf(lines[0]!);
  expect(PAGE.slice(begin, begin + lines.length)).toEqual(lines);
  expect(PAGE[begin + lines.length]).toBe('');
});

// Stands in, by name and with the reason, for the tests above on a machine without the device.
if (missing !== undefined) test.skip(`on webgpu: ${missing}`, () => undefined);
