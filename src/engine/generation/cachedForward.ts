import type { ModelTensors } from '../checkpoint/checkpoint.ts';
import type { Weights } from '../forward/blockWeights.ts';
import { embed } from '../forward/embed.ts';
import { type BlockSource, headLogits } from '../forward/logits.ts';
import { ModelPrograms } from '../forward/modelPrograms.ts';
import type { Places } from '../forward/places.ts';
import type { Step } from '../forward/step.ts';
import { HIDDEN } from '../graph/attentionMask.ts';
import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import { type Added, KeyValueCache } from './keyValueCache.ts';

/** A model whose sequences go on. */
export interface CachedModel {
  readonly checkpoint: ModelTensors;
  readonly weights: BlockSource;
  readonly device: Device;
}

/** Tokens of one sequence that go through the network together: products are large enough then, and scores small. */
const CHUNK = 256;
/** Fewer are filled up to so many, and others to a power of two, so that few programs are compiled. */
const SMALLEST = 16;

/** What goes through the network together: a chunk of one sequence, or the next token of all. */
interface Run extends Added {
  readonly ids: readonly Int32Array[];
  /** Earlier tokens that come in, those that no sequence has counted: 0, or the cache's capacity. */
  readonly past: number;
  /** Tokens of the whole sequences, when all is fed. */
  readonly longest: number;
  /** Whether the logits after the last token that counts are asked for. */
  readonly ends: boolean;
}

/**
 * A forward pass over a batch of sequences that go on, each from where it is: of earlier tokens only keys and values are there (see
 * {@link KeyValueCache}). What comes out is what a pass over the whole sequence would give, but for the order in which numbers are added up.
 */
export class CachedForward {
  private readonly model: CachedModel;
  private readonly cache: KeyValueCache;
  private readonly programs = new Map<number, ModelPrograms>();
  private readonly seen: number[];

  /** @param batch sequences; 1 on a device with memory of its own */
  constructor(model: CachedModel, batch: number) {
    this.model = model;
    const { weights, checkpoint, device } = model;
    this.cache = new KeyValueCache(device, weights.layouts, checkpoint.config.headDim, batch);
    this.seen = Array.from({ length: batch }, () => 0);
  }

  /** Tokens that each sequence has seen. */
  get lengths(): readonly number[] {
    return this.seen;
  }

  /** Lets a sequence forget what came after so many tokens. */
  cut(row: number, length: number): void {
    this.seen[row] = Math.min(this.seen[row]!, length);
  }

  /**
   * Feeds each sequence its next tokens, and says what may follow.
   *
   * @param fed by sequence; undefined for one that is not fed
   * @returns logits [vocabulary] after the last token of each that was fed
   */
  async feed(fed: readonly (Int32Array | undefined)[], step: Step): Promise<(Float32Array | undefined)[]> {
    const { weights, device, checkpoint } = this.model;
    const lengths = this.seen.map((length, row) => length + (fed[row]?.length ?? 0));
    await this.cache.grow(Math.max(...lengths));
    const runs = this.runsOf(fed, lengths);
    const states: DeviceTensor[] = [];
    try {
      for (const run of runs) states.push(await this.embedded(run));
      for (const index of weights.layouts.keys()) {
        const block = await weights.block(index);
        try {
          for (const [place, run] of runs.entries()) {
            const y = await this.advance(index, block, run, states[place]!);
            states[place]!.dispose();
            states[place] = y;
            await step('');
          }
        } finally {
          weights.done(block);
        }
      }
      for (const [row, length] of lengths.entries()) this.seen[row] = length;
      const { hidden } = checkpoint.config;
      const last: { readonly row: number; readonly state: Float32Array }[] = [];
      for (const [place, { rows, tokens, counts, ends }] of runs.entries()) {
        if (!ends) continue;
        const rowsOfStates = await device.download(states[place]!);
        for (const [i, count] of counts.entries()) {
          const at = (i * tokens + count - 1) * hidden;
          if (count > 0) last.push({ row: rows.begin + i, state: rowsOfStates.slice(at, at + hidden) });
        }
      }
      return await this.logits(last);
    } finally {
      for (const x of states) x.dispose();
    }
  }

  dispose(): void {
    this.cache.dispose();
    for (const programs of this.programs.values()) programs.dispose();
    this.programs.clear();
  }

  private runsOf(fed: readonly (Int32Array | undefined)[], lengths: readonly number[]): Run[] {
    const given = fed.flatMap((ids, row) => (ids ? [{ ids, row }] : []));
    if (given.length > 1 && given.every(({ ids }) => ids.length === 1)) {
      return [
        {
          rows: { begin: 0, count: fed.length },
          tokens: 1,
          ids: fed.map((ids) => ids ?? NO_TOKEN),
          begins: this.seen.map((length, row) => (fed[row] ? length : Math.max(0, length - 1))),
          counts: fed.map((ids) => (ids ? 1 : 0)),
          past: this.cache.capacity,
          longest: Math.max(...lengths),
          ends: true,
        },
      ];
    }
    return given.flatMap(({ ids, row }) => {
      const runs: Run[] = [];
      for (let first = 0; first < ids.length; first += CHUNK) {
        const count = Math.min(CHUNK, ids.length - first);
        const begin = this.seen[row]! + first;
        const tokens = count === 1 ? 1 : Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(count)));
        const padded = new Int32Array(tokens);
        padded.set(ids.subarray(first, first + count));
        runs.push({
          rows: { begin: row, count: 1 },
          tokens,
          ids: [padded],
          begins: [begin],
          counts: [count],
          past: begin === 0 ? 0 : this.cache.capacity,
          longest: lengths[row]!,
          ends: first + count === ids.length,
        });
      }
      return runs;
    });
  }

  private async embedded(run: Run): Promise<DeviceTensor> {
    const { checkpoint, device } = this.model;
    const programs = await this.programsFor(run.tokens);
    const stream = await embed({ checkpoint, device, programs }, run.ids, [placesOf(run)]);
    return stream.batches[0]!.x;
  }

  private async advance(index: number, block: Weights, run: Run, x: DeviceTensor): Promise<DeviceTensor> {
    const { rows, past } = run;
    const layout = this.model.weights.layouts[index]!;
    const programs = await this.programsFor(run.tokens);
    const program = await programs.block(layout, rows.count, { attending: 'masked', past });
    const places = await programs.placed(layout, placesOf(run));
    const earlier = past > 0 ? this.cache.past(index, rows) : {};
    const { y, ...added } = await program.run({ ...block, ...earlier, ...places, x });
    for (const tensor of Object.values(places)) tensor.dispose();
    await this.cache.add(index, run, added);
    return y!;
  }

  private async logits(
    last: readonly { readonly row: number; readonly state: Float32Array }[],
  ): Promise<(Float32Array | undefined)[]> {
    const { checkpoint, weights, device } = this.model;
    const { hidden, vocabulary } = checkpoint.config;
    const states = new Float32Array(last.length * hidden);
    for (const [i, { state }] of last.entries()) states.set(state, i * hidden);
    const head = await weights.head();
    const found: (Float32Array | undefined)[] = this.seen.map(() => undefined);
    try {
      const logits = await headLogits(checkpoint.config, device, states, head);
      for (const [i, { row }] of last.entries()) found[row] = logits.subarray(i * vocabulary, (i + 1) * vocabulary);
    } finally {
      weights.done(head);
    }
    return found;
  }

  private async programsFor(tokens: number): Promise<ModelPrograms> {
    const programs =
      this.programs.get(tokens) ??
      (await ModelPrograms.create(this.model.checkpoint.config, this.model.device, tokens));
    this.programs.set(tokens, programs);
    return programs;
  }
}

/** For a sequence that is not fed while others are: what comes of it is not read. */
const NO_TOKEN = Int32Array.of(0);

/** Where the tokens of a run are and what they see: of the past what their sequence has seen, of themselves all up to each. */
function placesOf({ rows, tokens, begins, past, longest }: Run): Places {
  const limit = Math.max(0, longest - 1);
  const positions = new Int32Array(rows.count * tokens);
  const keys = new Int32Array(rows.count * (past + tokens));
  for (let row = 0; row < rows.count; row++) {
    for (let token = 0; token < tokens; token++) {
      // What fills up a run is nowhere: any position that there is will do.
      const position = Math.min(begins[row]! + token, limit);
      positions[row * tokens + token] = position;
      keys[row * (past + tokens) + past + token] = position;
    }
    for (let key = 0; key < past; key++) keys[row * (past + tokens) + key] = Math.min(key, limit);
  }
  const mask = (window = Infinity): Float32Array => {
    const columns = past + tokens;
    const hidden = new Float32Array(rows.count * tokens * columns).fill(HIDDEN);
    for (let row = 0; row < rows.count; row++) {
      for (let token = 0; token < tokens; token++) {
        const [at, position] = [(row * tokens + token) * columns, begins[row]! + token];
        const first = Math.max(0, position - window + 1);
        hidden.fill(0, at + Math.min(first, begins[row]!), at + Math.min(begins[row]!, past));
        hidden.fill(0, at + past + Math.max(0, first - begins[row]!), at + past + token + 1);
      }
    }
    return hidden;
  };
  return { positions, keys, longest, mask };
}
