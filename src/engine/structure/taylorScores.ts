import type { BlockComponents } from '../../experiment/structureSchema.ts';
import type { Step } from '../forward/step.ts';
import { type GradientInputs, sampleGradients } from '../gradient/collectGradients.ts';
import { type BlockLayout, componentsAlong, type Coupled, couplings } from '../families/family.ts';
import type { ComponentScores } from './componentScores.ts';

/**
 * First-order Taylor scores of every component (LLM-Pruner, Ma et al. 2023): |Σ g·w| over all weights that go with it and the biases
 * among them, where g = ∂L/∂w of the dense model and L the mean loss of the calibration samples. To first order this is how much the
 * loss changes without the component. Signs count until the last: what one sample gains and another loses is no loss.
 *
 * One block's gradients are all that is ever held.
 *
 * @param inputs with the samples, all of one length
 * @param components of each block
 */
export async function taylorScores(
  inputs: GradientInputs,
  components: readonly Pick<BlockComponents, 'groups' | 'channels'>[],
  step: Step,
): Promise<ComponentScores[]> {
  const { device, samples, weights } = inputs;
  const scores: ComponentScores[] = [];
  await sampleGradients(
    inputs,
    {
      sum: 'sum',
      rowWeight: 1 / (samples.length * (samples[0]!.length - 1)),
      parameters: (layout) => scored(layout).map(({ name }) => name),
      async onBlock(index, gradients) {
        const { groups, channels } = components[index]!;
        const sums = { groups: new Float64Array(groups), channels: new Float64Array(channels) };
        const block = await weights.block(index);
        try {
          for (const coupling of scored(weights.layouts[index]!)) {
            const { name } = coupling;
            const [w, g] = [await device.download(block[name]!), await device.download(gradients[name]!)];
            addProducts(sums[coupling.parts.of], coupling, w, g);
          }
        } finally {
          weights.done(block);
        }
        scores[index] = { groups: magnitudes(sums.groups), channels: magnitudes(sums.channels) };
      },
    },
    step,
  );
  return scores;
}

/** Weights and biases: norms of single heads only scale what these make. */
function scored(layout: BlockLayout): readonly Coupled[] {
  return couplings(layout).filter(({ linear, name }) => linear || name.endsWith('.bias'));
}

/** Adds Σ g·w over each component's part of a parameter. */
function addProducts(sums: Float64Array, coupling: Coupled, w: Float32Array, g: Float32Array): void {
  const {
    shape,
    parts: { axis },
  } = coupling;
  // A bias is one column.
  const columns = shape[1] ?? 1;
  const rows = shape[0]!;
  const component = componentsAlong(coupling, sums.length);
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      sums[component[axis === 0 ? row : column]!]! += w[at]! * g[at]!;
    }
  }
}

function magnitudes(sums: Float64Array): Float32Array {
  return Float32Array.from(sums, Math.abs);
}
