import { describe, expect, test } from 'vitest';
import type { Weights } from '../../../src/engine/forward/blockWeights.ts';
import { embed } from '../../../src/engine/forward/embed.ts';
import { finalLogits, headLogits } from '../../../src/engine/forward/logits.ts';
import { ModelPrograms } from '../../../src/engine/forward/modelPrograms.ts';
import type { Places } from '../../../src/engine/forward/places.ts';
import { HIDDEN } from '../../../src/engine/graph/attentionMask.ts';
import { familyDevices } from '../../support/familyDevices.ts';
import { type DenseModel, openDenseModel } from '../structure/denseModel.ts';

// A row in which texts with a common beginning stand as a tree says the same as each of them alone; so do tokens that come after others
// whose keys and values were kept.

const [SHARED, LENGTH] = [5, 14];
const noStep = (): Promise<void> => Promise.resolve();

describe.each(await familyDevices())('%s on %s', (name, on) => {
  test('a tree of two texts, and a text in two parts', async () => {
    const model = await openDenseModel(name, 2, LENGTH, on);
    try {
      const [first, other] = model.inputs.samples as [Int32Array, Int32Array];
      const second = Int32Array.of(...first.subarray(0, SHARED), ...other.subarray(SHARED, LENGTH - 2));
      const alone = [await causal(model, first), await causal(model, second)];
      const tree = await inOneRow(model, first, second);
      expect(difference(tree.slice(0, alone[0]!.length), alone[0]!)).toBeLessThan(1e-4);
      const { vocabulary } = model.checkpoint.config;
      const ofSecond = [tree.slice(0, SHARED * vocabulary), tree.slice(alone[0]!.length)].map((part) => [...part]);
      expect(difference(ofSecond.flat(), alone[1]!)).toBeLessThan(1e-4);
      expect(difference(await inParts(model, first, 6), alone[0]!)).toBeLessThan(1e-4);
      expect(difference(alone[0]!, alone[1]!)).toBeGreaterThan(1e-2);
    } finally {
      await model.close();
    }
  });
});

/** Logits of all tokens of a text, by itself. */
async function causal({ inputs: { weights, device }, checkpoint }: DenseModel, ids: Int32Array): Promise<Float32Array> {
  const programs = await ModelPrograms.create(checkpoint.config, device, ids.length);
  const stream = await embed({ checkpoint, device, programs }, [ids]);
  for (const [index, layout] of weights.layouts.entries()) {
    await stream.advance(layout, await weights.block(index), noStep, '');
  }
  return finalLogits(checkpoint.config, device, stream.batches[0]!, await weights.head(), ids.length);
}

/** Of the tokens of the first text, and of those of the second behind what both have. */
async function inOneRow(model: DenseModel, first: Int32Array, second: Int32Array): Promise<Float32Array> {
  const { inputs, checkpoint } = model;
  const { weights, device } = inputs;
  const tail = second.subarray(SHARED);
  const ids = Int32Array.of(...first, ...tail);
  const position = (i: number): number => (i < first.length ? i : i - first.length + SHARED);
  const sees = (query: number, key: number): boolean =>
    key <= query && (query < first.length || key < SHARED || key >= first.length);
  // The second sequence of the batch is another: rows have positions and masks of their own.
  const other = { ids: ids.toReversed(), position: (i: number) => i, sees: (q: number, k: number) => k <= q };
  const rows = [{ ids, position, sees }, other];
  const programs = await ModelPrograms.create(checkpoint.config, device, ids.length);
  const stream = await embed(
    { checkpoint, device, programs },
    rows.map((row) => row.ids),
    [placesOf(rows, ids.length, ids.length, first.length)],
  );
  expect(stream.batches.length).toBe(1);
  for (const [index, layout] of weights.layouts.entries()) {
    await stream.advance(layout, await weights.block(index), noStep, '');
  }
  return finalLogits(checkpoint.config, device, stream.batches[0]!, await weights.head(), ids.length);
}

/** The last tokens with the keys and values that the first ones have left of each block. */
async function inParts(model: DenseModel, ids: Int32Array, past: number): Promise<number[]> {
  const { inputs, checkpoint } = model;
  const { weights, device } = inputs;
  const { config } = checkpoint;
  const parts = [ids.subarray(0, past), ids.subarray(past)];
  const states: Float32Array[] = [];
  const kept: Weights[] = [];
  for (const [part, own] of parts.entries()) {
    const before = part === 0 ? 0 : past;
    const programs = await ModelPrograms.create(config, device, own.length);
    const row = {
      position: (i: number) => before + i,
      keyPosition: (i: number) => i,
      sees: (query: number, key: number) => key <= before + query,
    };
    const places = placesOf([row], own.length, before + own.length, ids.length);
    const stream = await embed({ checkpoint, device, programs }, [own], [places]);
    const batch = stream.batches[0]!;
    for (const [index, layout] of weights.layouts.entries()) {
      const program = await programs.block(layout, 1, { attending: 'masked', past: before });
      const made = await program.run({
        ...programs.inputs(layout, await weights.block(index)),
        ...(await programs.placed(layout, places)),
        ...kept[index],
        x: batch.x,
      });
      kept[index] = { 'past.keys': made['new.keys']!, 'past.values': made['new.values']! };
      stream.replace(batch, made['y']!);
    }
    states.push((await device.download(batch.x)).slice());
  }
  return [
    ...(await headLogits(config, device, Float32Array.from(states.flatMap((x) => [...x])), await weights.head())),
  ];
}

interface Row {
  readonly position: (token: number) => number;
  readonly keyPosition?: (key: number) => number;
  readonly sees: (token: number, key: number) => boolean;
}

function placesOf(rows: readonly Row[], tokens: number, keys: number, longest: number): Places {
  const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  return {
    positions: Int32Array.from(rows.flatMap(({ position }) => count(tokens).map(position))),
    keys: Int32Array.from(rows.flatMap(({ position, keyPosition = position }) => count(keys).map(keyPosition))),
    longest,
    mask: (window = Infinity) =>
      Float32Array.from(
        rows.flatMap(({ position, keyPosition = position, sees }) =>
          count(tokens).flatMap((query) =>
            count(keys).map((key) => (sees(query, key) && position(query) - keyPosition(key) < window ? 0 : HIDDEN)),
          ),
        ),
      ),
    seen: () => {
      // Of each key the first token that sees it, and the one behind the last.
      const of = (edge: (queries: readonly number[]) => number): Int32Array =>
        Int32Array.from(
          rows.flatMap(({ sees }) => count(keys).map((key) => edge(count(tokens).filter((query) => sees(query, key))))),
        );
      return { from: of((queries) => queries[0] ?? 0), until: of((queries) => (queries.at(-1) ?? -1) + 1) };
    },
  };
}

function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < Math.min(a.length, b.length); i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}
