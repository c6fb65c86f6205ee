import os from 'node:os';
import { EspalierError } from '../../base/errors.ts';
import type { RowsSettings } from '../../experiment/corpusRows.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import { makeTemporaryFolder, removeTemporary, removeTemporarySync } from '../../files/temporary.ts';
import { sha256 } from '../checkpoint/hashing.ts';
import type { Weights } from '../forward/blockWeights.ts';
import type { Step } from '../forward/step.ts';
import { sizeOf } from '../graph/shape.ts';
import type { BlockLayout, Parameter } from '../families/family.ts';
import type { Device } from '../runtime/device.ts';
import type { DeviceTensor } from '../runtime/deviceTensor.ts';
import { availableMemory } from '../runtime/memory.ts';
import { collectGradients, type GradientInputs, type GradientSink } from './collectGradients.ts';
import type { ForwardObserver } from './modelBackward.ts';
import { GradientFolder } from './gradientFolder.ts';
import type { GradientWriter, StoredGradients, StoredTensor } from './storedGradients.ts';

/** What decides the gradients of a model, and nothing else. */
export interface GradientIdentity {
  readonly modelHash: string;
  /** Of the text that it is taken on. */
  readonly calibrationHash: string;
  /** How that text is made of its file, where not as ever. */
  readonly rows?: RowsSettings;
  readonly samples: number;
  readonly length: number;
  readonly offsets: EvaluationSettings['offsets'];
  readonly seed: number;
  readonly device: string;
  readonly precision: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: Readonly<Record<string, string>>;
}

/** Changes when the same identity would have to give other numbers, or other files. */
const FORMAT = 2;

/** Share of the available memory that gradients may take to be held. */
const HELD_SHARE = 0.25;

/** Bytes of G of all layers that stay on a device with memory of its own beside the weights. How much it has the runtime does not say. */
const THERE = 2 ** 32;

/**
 * sha-256 over an identity. Device, precision and versions are in it because they are in the fingerprint of every evaluation: a number
 * that says "cpu" must not come from gradients of another device.
 */
export function gradientFingerprint({ offsets, seed, ...rest }: GradientIdentity): string {
  return sha256(JSON.stringify({ format: FORMAT, ...rest, offsets, ...(offsets !== 'even' && { seed }) }));
}

/** Whose gradients are wanted, and where they are used. */
export interface GradientRequest {
  /** See {@link gradientFingerprint}. */
  readonly fingerprint: string;
  readonly device: Device;
  readonly layouts: readonly BlockLayout[];
}

/**
 * The operand G of every linear layer of a model: in memory where there is room, else in files and read when a block is visited. It
 * serves any number of evaluations.
 */
export class GradientOperands {
  readonly fingerprint: string;
  readonly device: Device;
  private readonly layouts: readonly BlockLayout[];
  private readonly content: Content;
  /** What stays on a device with memory of its own, by the layers' names in the checkpoint. */
  private readonly there = new Map<string, DeviceTensor>();
  private readonly kept = new Set<DeviceTensor>();

  private constructor({ fingerprint, device, layouts }: GradientRequest, content: Content) {
    this.fingerprint = fingerprint;
    this.device = device;
    this.layouts = layouts;
    this.content = content;
  }

  /** What the cache holds; undefined where that is nothing, or not what was written. */
  static async find(request: GradientRequest, cache: GradientFolder): Promise<GradientOperands | undefined> {
    const { fingerprint, layouts } = request;
    const files = await cache.find(fingerprint, layouts.length);
    if (!files) return undefined;
    if (!gradientsAreHeld(layouts)) return new GradientOperands(request, { files });
    const held = new Map<string, Float32Array>();
    for (const [block, { parameters }] of layouts.entries()) {
      for (const { tensor, shape } of parameters.filter(({ linear }) => linear)) {
        const data = new Float32Array(sizeOf(shape));
        files.read(block, tensor, data);
        held.set(tensor, data);
      }
    }
    files.close();
    return new GradientOperands(request, { held });
  }

  /**
   * Computes the gradients, and keeps them in the cache where there is one. A cache that cannot be written to is left aside as
   * long as memory holds them; without a cache they lie in temporary files until {@link dispose} where memory does not.
   *
   * @throws EspalierError `io/write` when there is room for them neither in memory nor on disk
   */
  static async compute(
    request: GradientRequest,
    inputs: GradientInputs,
    cache: GradientFolder | undefined,
    step: Step,
    observe?: ForwardObserver,
  ): Promise<GradientOperands> {
    const { fingerprint, layouts } = request;
    const held = gradientsAreHeld(layouts) ? new Map<string, Float32Array>() : undefined;
    const temporary = held || cache ? undefined : await makeTemporaryFolder(os.tmpdir(), 'espalier-gradients');
    const folder = temporary === undefined ? cache : new GradientFolder(temporary);
    const file = new OptionalWriter(held !== undefined);
    try {
      if (folder) await file.open(() => folder.writer(fingerprint));
      const sink: GradientSink = async (block, gradients) => {
        const tensors = new Map<string, StoredTensor>();
        for (const { name, tensor, shape } of layouts[block]!.parameters) {
          const data = gradients.get(name);
          if (!data) continue;
          tensors.set(tensor, { shape, data });
          held?.set(tensor, data.slice());
        }
        await file.write((writer) => writer.add(block, tensors));
      };
      await collectGradients(inputs, sink, step, observe);
      await file.write((writer) => writer.commit());
      await cache?.tidy();
      if (held) return new GradientOperands(request, { held });
      const files = await folder!.find(fingerprint, layouts.length);
      if (!files) throw vanished();
      return new GradientOperands(request, { files, ...(temporary !== undefined && { temporary }) });
    } catch (error) {
      await file.discard();
      if (temporary !== undefined) await removeTemporary(temporary);
      throw error;
    }
  }

  /**
   * G of a block's linear layers by their input's name, float32 [out, in], valid until {@link done} is called with the same.
   *
   * @param layers whose G is wanted, where not that of all
   */
  async block(index: number, layers: readonly Parameter[] = this.layouts[index]!.parameters): Promise<Weights> {
    const gradients: Record<string, DeviceTensor> = {};
    for (const layer of layers) if (layer.linear) gradients[layer.name] = await this.of(index, layer);
    return gradients;
  }

  done(gradients: Weights): void {
    for (const tensor of Object.values(gradients)) if (!this.kept.has(tensor)) tensor.dispose();
  }

  private async of(index: number, { tensor, shape }: Parameter): Promise<DeviceTensor> {
    const { content, device } = this;
    const found = this.there.get(tensor);
    if (found) return found;
    let data: Float32Array;
    if ('held' in content) data = content.held.get(tensor)!;
    else content.files.read(index, tensor, (data = new Float32Array(sizeOf(shape))));
    const made = await device.upload(data, shape, 'float32');
    if (device.resident && gradientBytes(this.layouts) <= THERE) {
      this.there.set(tensor, made);
      this.kept.add(made);
    }
    return made;
  }

  dispose(): void {
    for (const tensor of this.kept) tensor.dispose();
    this.kept.clear();
    this.there.clear();
    if ('held' in this.content) {
      this.content.held.clear();
      return;
    }
    const { files, temporary } = this.content;
    files.close();
    if (temporary !== undefined) removeTemporarySync(temporary);
  }
}

/** By the layers' names in the checkpoint, or in files, of which `temporary` is a folder to remove. */
type Content =
  { readonly held: Map<string, Float32Array> } | { readonly files: StoredGradients; readonly temporary?: string };

/** Bytes of G of all linear layers. */
export function gradientBytes(layouts: readonly BlockLayout[]): number {
  const linears = layouts.flatMap(({ parameters }) => parameters.filter(({ linear }) => linear));
  return linears.reduce((bytes, { shape }) => bytes + 4 * sizeOf(shape), 0);
}

/** Whether there is room to hold them in memory now. */
export function gradientsAreHeld(layouts: readonly BlockLayout[]): boolean {
  return gradientBytes(layouts) < HELD_SHARE * availableMemory();
}

/** A writer that is given up when it fails, as long as what it writes is optional. */
class OptionalWriter {
  private readonly optional: boolean;
  private writer: GradientWriter | undefined;

  constructor(optional: boolean) {
    this.optional = optional;
  }

  open(create: () => Promise<GradientWriter>): Promise<void> {
    return this.attempt(async () => {
      this.writer = await create();
    });
  }

  async write(work: (writer: GradientWriter) => Promise<void>): Promise<void> {
    const { writer } = this;
    if (writer) await this.attempt(() => work(writer));
  }

  async discard(): Promise<void> {
    const { writer } = this;
    this.writer = undefined;
    await writer?.discard();
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.optional || !(error instanceof EspalierError) || error.code !== 'io/write') throw error;
      await this.discard();
    }
  }
}

function vanished(): EspalierError {
  return new EspalierError({
    code: 'io/read',
    operation: 'reading the gradients back',
    expected: 'the files as they were written',
    actual: 'files that are missing or differ',
    remedy: 'Check the disk, and that nothing else removes files from the cache folder.',
  });
}
