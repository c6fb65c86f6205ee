import type { Parameter } from '../families/family.ts';
import type { ModelConfig } from '../families/families.ts';
import { adaptedLayer, type Adapter, layoutsOf } from './adapter.ts';

/** Which rows and columns of a dense model's weight are left, and where. */
export interface CutWeight {
  /** The tensor of the dense model. */
  readonly from: string;
  readonly rows?: Uint8Array | undefined;
  readonly columns?: Uint8Array | undefined;
}

/**
 * An adapter of the dense model, for what is left of it: rows of B and columns of A go with those of their weights, and layers with their blocks. What
 * is cut away has no part in the model's output, and would have no gradient: training goes on as with all of it and a mask.
 *
 * @param config of what is left
 * @param cut by the names of the tensors that are left
 */
export function cutAdapter(
  { layers }: Adapter,
  config: ModelConfig,
  cut: (parameter: Parameter) => CutWeight | undefined,
): Adapter {
  const dense = new Map(layers.map((layer) => [layer.parameter.tensor, layer]));
  return {
    layers: layoutsOf(config).flatMap(({ parameters }, block) =>
      parameters.flatMap((parameter) => {
        const kept = parameter.linear ? cut(parameter) : undefined;
        const layer = kept && dense.get(kept.from);
        if (!layer) return [];
        const { rank, scaling, down, up } = layer;
        const inputs = parameter.shape[1]!;
        const isKept = (bits: Uint8Array | undefined, at: number): boolean => bits?.[at] !== 0;
        const columns = down.shape[1]!;
        const ofColumns = down.values.filter((_, at) => isKept(kept.columns, at % columns));
        const ofRows = up.values.filter((_, at) => isKept(kept.rows, Math.floor(at / rank)));
        if (ofColumns.length !== rank * inputs) throw new RangeError(`${parameter.tensor}: not what is left of it`);
        return [adaptedLayer(block, parameter, scaling, ofColumns, ofRows)];
      }),
    ),
    vectors: [],
  };
}
