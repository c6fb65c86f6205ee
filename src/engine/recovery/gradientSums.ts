import { type Adapter, type Place, tensorsOf, zerosLike } from './adapter.ts';

/** Gradients of an adapter's factors and vectors: few numbers, added up on the host in the order of the batches. */
export class GradientSums {
  /** ∂loss/∂tensor, in the order of {@link tensorsOf}. */
  readonly values: readonly Float32Array[];
  /** Where a gradient goes, by place and input. Those of B come as their transposes, with `columns` rows. */
  private readonly slots: ReadonlyMap<string, { readonly sum: Float32Array; readonly columns: number }>;

  constructor(adapter: Adapter) {
    const tensors = tensorsOf(adapter);
    this.values = zerosLike(tensors);
    const turned = new Set(adapter.layers.map(({ up }) => up));
    this.slots = new Map(
      tensors.map((tensor, index) => {
        const { place, input, shape } = tensor;
        const columns = turned.has(tensor) ? shape[1]! : 1;
        return [`${place} ${input}`, { sum: this.values[index]!, columns }];
      }),
    );
  }

  clear(): void {
    for (const sum of this.values) sum.fill(0);
  }

  add(place: Place, input: string, values: Float32Array): void {
    const { sum, columns } = this.slots.get(`${place} ${input}`)!;
    if (columns === 1) for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
    else {
      const rows = sum.length / columns;
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) sum[row * columns + column]! += values[column * rows + row]!;
      }
    }
  }
}
