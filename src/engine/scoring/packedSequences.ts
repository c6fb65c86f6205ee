import type { ModelConfig } from '../families/families.ts';
import { ModelPrograms, sequencesPerBatch } from '../forward/modelPrograms.ts';
import type { Places } from '../forward/places.ts';
import { scratchPlace, stateBytes } from '../forward/stateStream.ts';
import { rotationClass } from '../models/rope.ts';
import type { Device } from '../runtime/device.ts';
import { ReusedArrays } from '../runtime/reusedArrays.ts';
import { narrowedRows } from './narrowedRows.ts';
import { packedRow, type PackedRow, placesOf } from './packedRow.ts';
import { packSequences } from './packSequences.ts';
import { inputOf, type Sequence } from './sequence.ts';

/** Sequences as rows of a few lengths that are ready to go through a model, any number of times. */
export interface PackedSequences {
  readonly sequences: readonly Sequence[];
  readonly groups: readonly PackedGroup[];
  /** Tokens that go through the model for each sequence: what it has in common with others counts for one of them. */
  readonly fed: Int32Array;
  /** Tokens of all rows, with those that they are filled up with. */
  readonly tokens: number;
  /** Where the hidden states of all tokens lie in a file while they go through a model; absent where they are held in memory. */
  readonly scratchFolder?: string;
}

/** Rows of one length. */
export interface PackedGroup {
  readonly length: number;
  readonly programs: ModelPrograms;
  /** In batches of `programs.batch`. */
  readonly batches: readonly PackedBatch[];
}

export interface PackedBatch {
  readonly rows: readonly PackedRow[];
  readonly places: Places;
}

/** Most bytes of one model's hidden states that are held in memory, however much there is. */
const HELD = 2 ** 31;

/**
 * Packs sequences; those whose rotations differ by their lengths (dynamic, LongRoPE) apart from each other.
 *
 * @param cacheFolder for files of hidden states where memory has no room for them; without one the system's folder for temporary files
 */
export async function packAll(
  config: ModelConfig,
  device: Device,
  sequences: readonly Sequence[],
  cacheFolder?: string,
): Promise<PackedSequences> {
  const byRotation = groupsOf([...sequences.keys()], (index) =>
    rotationClass(config, inputOf(sequences[index]!).length),
  );
  const groups: PackedGroup[] = [];
  const arrays = new ReusedArrays();
  for (const members of byRotation.values()) {
    const plans = packSequences(members.map((index) => sequences[index]!));
    const rows = plans.map(({ length, sequences: own }) =>
      packedRow({ length, sequences: own.map((place) => members[place]!) }, sequences),
    );
    for (const [length, ofLength] of [...groupsOf(rows, ({ ids }) => ids.length)].sort(([a], [b]) => a - b)) {
      // Half of the tokens of other batches: programs of several lengths hold their memory at the same time.
      const batch = Math.ceil(sequencesPerBatch(device, length) / 2);
      const programs = await ModelPrograms.create(config, device, length, batch);
      const count = Math.ceil(ofLength.length / programs.batch);
      const batches = Array.from({ length: count }, (_, i) => {
        const own = ofLength.slice(i * programs.batch, (i + 1) * programs.batch);
        return { rows: own, places: { ...placesOf(own, arrays), narrowed: narrowedRows(own, count) } };
      });
      groups.push({ length, programs, batches });
    }
  }
  const rows = groups.flatMap(({ batches }) => batches.flatMap((batch) => batch.rows));
  const fed = new Int32Array(sequences.length);
  for (const row of rows) for (const { sequence, tokens } of row.fed) fed[sequence] = tokens;
  const tokens = rows.reduce((sum, { ids }) => sum + ids.length, 0);
  const bytes = stateBytes(config, tokens);
  const scratchFolder = scratchPlace(bytes > HELD ? Infinity : bytes, cacheFolder);
  return { sequences, groups, fed, tokens, ...(scratchFolder !== undefined && { scratchFolder }) };
}

export function disposePacked({ groups }: PackedSequences): void {
  for (const { programs } of groups) programs.dispose();
}

function groupsOf<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
