import { Rng } from '../../base/rng.ts';
import type { Recovery } from '../../experiment/recovery.ts';
import type { BlockLayout, Parameter } from '../families/family.ts';
import { familyOf, type ModelConfig } from '../families/families.ts';
import { sizeOf } from '../graph/shape.ts';
import { downName, type FactorShape, upName } from './trainingBlock.ts';

/** Where a trained tensor is: in a block, by its input's name there, or among what comes after the last block. */
export type Place = number | 'head';

/** A tensor that training changes. The array is changed in place. */
export interface TrainedTensor {
  readonly place: Place;
  /** In the program: of factors `name.lora_A` and `name.lora_B`, else the parameter's input. */
  readonly input: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** A linear layer with factors beside it. */
export interface AdaptedLayer extends FactorShape {
  readonly block: number;
  readonly parameter: Parameter;
  readonly down: TrainedTensor;
  readonly up: TrainedTensor;
}

/** Everything that a recovery trains: factors beside matrices, or vectors in the place of the checkpoint's. */
export interface Adapter {
  readonly layers: readonly AdaptedLayer[];
  readonly vectors: readonly (TrainedTensor & { readonly parameter: Parameter })[];
}

/** All tensors, in the order in which states have them. */
export function tensorsOf({ layers, vectors }: Adapter): readonly TrainedTensor[] {
  return [...layers.flatMap(({ down, up }) => [down, up]), ...vectors];
}

export function trainableCount(adapter: Adapter): number {
  return tensorsOf(adapter).reduce((sum, { values }) => sum + values.length, 0);
}

/** Whether a linear layer of a block has factors. */
const TARGETS: Readonly<Record<Recovery['targets'], (parameter: Parameter) => boolean>> = {
  all: () => true,
  attention: ({ parts }) => parts?.of === 'groups',
  // Queries and values; of what makes queries, keys and values at once the whole, as PEFT's defaults for such models have it.
  qv: ({ name, parts }) => parts?.of === 'groups' && parts.axis === 0 && !/(^|[._])k(_proj)?$/.test(name),
};

/**
 * Factors as a LoRA begins (Hu et al. 2021; the bounds are those of PEFT, which are torch.nn.Linear's): A uniform in ±1/√in, B zero, so
 * that the model is what it was. Layers are visited in the order of their blocks, and numbers are drawn in that order.
 */
export function freshFactors(
  config: ModelConfig,
  { rank, alpha, targets, seed }: Pick<Recovery, 'rank' | 'alpha' | 'targets' | 'seed'>,
): Adapter {
  const rng = new Rng(seed);
  const layers = layoutsOf(config).flatMap(({ parameters }, block) =>
    parameters
      .filter((parameter) => parameter.linear && TARGETS[targets](parameter))
      .map((parameter) => {
        const [output, input] = parameter.shape as [number, number];
        const bound = 1 / Math.sqrt(input);
        const down = Float32Array.from({ length: rank * input }, () => bound * (2 * rng.uniform() - 1));
        return adaptedLayer(block, parameter, alpha / rank, down, new Float32Array(output * rank));
      }),
  );
  return { layers, vectors: [] };
}

/** A linear layer with its factors: `down` A [rank, in], `up` B [out, rank]. */
export function adaptedLayer(
  block: number,
  parameter: Parameter,
  scaling: number,
  down: Float32Array,
  up: Float32Array,
): AdaptedLayer {
  const [output, input] = parameter.shape as [number, number];
  const { name } = parameter;
  const rank = down.length / input;
  return {
    ...{ block, parameter, name, rank, scaling },
    down: { place: block, input: downName(name), shape: [rank, input], values: down },
    up: { place: block, input: upName(name), shape: [output, rank], values: up },
  };
}

/**
 * All norms and biases of blocks and head as they are; of what stands before the first block (BLOOM's norm of the embeddings) nothing.
 *
 * @param read a parameter's values
 */
export function trainedVectors(config: ModelConfig, read: (parameter: Parameter) => Float32Array): Adapter {
  const vectors = (parameters: readonly Parameter[], place: Place) =>
    parameters.map((parameter) => {
      const values = read(parameter).slice();
      return { place, input: parameter.name, shape: parameter.shape, values, parameter };
    });
  const blocks = layoutsOf(config).flatMap((layout, block) => vectors(vectorsOf(layout), block));
  return { layers: [], vectors: [...blocks, ...vectors(familyOf(config).head(config).parameters, 'head')] };
}

/** Norms and biases of a block, of its linear layers and its router too: all that is no matrix. */
function vectorsOf({ parameters }: Pick<BlockLayout, 'parameters'>): readonly Parameter[] {
  return parameters.filter(({ shape }) => shape.length === 1);
}

/** The tensors of an adapter with nothing learnt yet: gradients, moments. */
export function zerosLike(tensors: readonly TrainedTensor[]): Float32Array[] {
  return tensors.map(({ shape }) => new Float32Array(sizeOf(shape)));
}

export function layoutsOf(config: ModelConfig): readonly BlockLayout[] {
  const family = familyOf(config);
  return config.windows.map((_, index) => family.block(config, index));
}
