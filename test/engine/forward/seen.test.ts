import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { ModelPrograms } from '../../../src/engine/forward/modelPrograms.ts';
import { placedTables } from '../../../src/engine/forward/placedTables.ts';
import type { Places } from '../../../src/engine/forward/places.ts';
import { placesOf as placesOfRun } from '../../../src/engine/generation/placesOfRun.ts';
import { HIDDEN } from '../../../src/engine/graph/attentionMask.ts';
import { ReusedArrays } from '../../../src/engine/runtime/reusedArrays.ts';
import { packedRow, placesOf } from '../../../src/engine/scoring/packedRow.ts';
import { packSequences } from '../../../src/engine/scoring/packSequences.ts';
import type { FamilyName } from '../../support/generate/families.ts';
import { testDevices } from '../../support/runGraph.ts';
import { openDenseModel } from '../structure/denseModel.ts';

// What goes to a device says the same of tokens and keys as the mask that stays here.

const { devices, missing } = await testDevices();
afterAll(() => Promise.all(devices.map((device) => device.dispose())));

const sequence = fc
  .array(fc.nat(3), { minLength: 2, maxLength: 40 })
  .chain((ids) =>
    fc.record({ ids: fc.constant(Int32Array.from(ids)), from: fc.integer({ min: 1, max: ids.length - 1 }) }),
  );
const anyWindow = fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined });

test('of packed rows', () => {
  fc.assert(
    fc.property(fc.array(sequence, { minLength: 1, maxLength: 40 }), anyWindow, (sequences, window) => {
      const rows = packSequences(sequences).map((plan) => packedRow(plan, sequences));
      const length = rows[0]!.ids.length;
      const alike = rows.filter(({ ids }) => ids.length === length);
      expectSame(placesOf(alike, new ReusedArrays()), alike.length, length, window);
    }),
    { numRuns: 100, seed: 5 },
  );
});

const RUNS = [
  { what: 'a chunk at the beginning', rows: { begin: 0, count: 1 }, tokens: 8, begins: [0], past: 0, longest: 8 },
  { what: 'a chunk behind others', rows: { begin: 0, count: 1 }, tokens: 16, begins: [20], past: 64, longest: 36 },
  { what: 'a chunk that is filled up', rows: { begin: 0, count: 1 }, tokens: 16, begins: [9], past: 64, longest: 25 },
  {
    what: 'the next token of each',
    rows: { begin: 0, count: 3 },
    tokens: 1,
    begins: [0, 5, 63],
    past: 64,
    longest: 64,
  },
];

test.each(RUNS.flatMap((run) => [undefined, 1, 7].map((window) => ({ ...run, window }))))(
  'of $what, window $window',
  ({ window, ...run }) => {
    expectSame(placesOfRun(run), run.rows.count, run.tokens, window);
  },
);

const FAMILIES: readonly FamilyName[] = ['llama-2 grouped queries', 'mistral', 'falcon rw', 'gemma3'];

test.skipIf(missing !== undefined).each(FAMILIES)('%s: made on the device to the last bit', async (family) => {
  const model = await openDenseModel(family, 2, 16, 'webgpu');
  try {
    const { device, weights } = model.inputs;
    const { config } = model.checkpoint;
    for (const run of RUNS.slice(1)) {
      const places = placesOfRun(run);
      const programs = await ModelPrograms.create(config, device, run.tokens);
      for (const layout of weights.layouts) {
        const made = await programs.placed(layout, places);
        const expected = placedTables(config, layout, places, new Map());
        expect(Object.keys(made).sort()).toEqual(Object.keys(expected).sort());
        for (const [name, { data, shape }] of Object.entries(expected)) {
          expect(made[name]!.shape).toEqual(shape);
          expect(await device.download(made[name]!)).toEqual(data);
          made[name]!.dispose();
        }
      }
      programs.dispose();
    }
  } finally {
    await model.close();
  }
});

function expectSame(places: Places, batch: number, tokens: number, window: number | undefined): void {
  const { from, until } = places.seen();
  const keys = places.keys.length / batch;
  const mask = places.mask(window);
  const made = new Float32Array(mask.length);
  for (let row = 0, at = 0; row < batch; row++) {
    for (let token = 0; token < tokens; token++) {
      for (let key = 0; key < keys; key++, at++) {
        const place = row * keys + key;
        const behind = places.positions[row * tokens + token]! - places.keys[place]!;
        const sees = from[place]! <= token && token < until[place]! && behind < (window ?? Infinity);
        made[at] = sees ? 0 : HIDDEN;
      }
    }
  }
  expect(made).toEqual(mask.slice());
}
