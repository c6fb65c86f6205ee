import { Rng } from '../../../src/base/rng.ts';
import { unpackBits } from '../../../src/experiment/components.ts';
import type { Sequences } from '../../../src/experiment/measuringSchema.ts';
import type { BlockComponents, ModelMask } from '../../../src/experiment/structureSchema.ts';
import type { MaskSearchPlan } from '../../../src/search/masks/plan.ts';
import { packValues } from '../../../src/experiment/packedValues.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import type { StepLosses } from '../../../src/search/masks/effects.ts';
import type { MaskResume } from '../../../src/search/masks/resume.ts';
import { runMaskSearch } from '../../../src/search/masks/runMaskSearch.ts';
import type { MaskOutcome } from '../../../src/search/masks/runMaskSearch.ts';
import type { ComponentsOpening } from '../../../src/search/lifecycle/events.ts';
import type { MaskEvent } from '../../../src/search/masks/events.ts';
import { type MaskSearchSettings, DEFAULT_MASK_SEARCH_SETTINGS } from '../../../src/search/masks/settings.ts';

/** A model of which only the loss is known: each component that goes costs its importance, and batches differ. */
export interface MaskProblem {
  readonly opening: ComponentsOpening;
  /** Of each block's groups and channels. */
  readonly importance: readonly { readonly groups: readonly number[]; readonly channels: readonly number[] }[];
  readonly lossOf: (mask: ModelMask) => number;
}

export const TOY_BLOCK: BlockComponents = { groups: 4, channels: 12, groupWeights: 300, channelWeights: 100 };

export function maskProblem(seed: number, blocks = 4): MaskProblem {
  const rng = new Rng(seed);
  const draw = (count: number): number[] => Array.from({ length: count }, () => Math.exp(rng.normal()));
  const importance = Array.from({ length: blocks }, () => ({
    groups: draw(TOY_BLOCK.groups).map((value) => 3 * value),
    channels: draw(TOY_BLOCK.channels),
  }));
  const cost = (values: readonly number[], bits: string): number => {
    const kept = unpackBits(bits, values.length);
    return values.reduce((sum, value, i) => sum + (kept[i] === 1 ? 0 : value), 0);
  };
  return {
    importance,
    opening: {
      ...{ blocks: 4, denseLosses: [3, 3, 3, 3], densePerplexity: Math.exp(3), fingerprint: `problem ${seed}` },
      ...{ device: 'none', parameters: 1000, architecture: 'llama', calibrationTokens: 1000 },
      components: importance.map(() => TOY_BLOCK),
    },
    lossOf: (mask) =>
      importance.reduce((sum, { groups, channels }, i) => {
        const { groups: groupBits, channels: channelBits, dropped } = mask[i]!;
        const [g, c] = dropped ? ['', ''] : [groupBits, channelBits];
        return sum + (cost(groups, g) + cost(channels, c)) / (10 * blocks);
      }, 3),
  };
}

export function maskPlan(search: Partial<MaskSearchSettings> = {}, share = 0.5): MaskSearchPlan {
  return {
    ...{ kind: 'masks', name: 'simulated', model: '', calibration: '/text', text: '' },
    sparsity: { kind: 'unstructured', share },
    score: { kind: 'method', method: 'wanda-sp' },
    baselines: [],
    settings: DEFAULT_SETTINGS,
    search: { ...DEFAULT_MASK_SEARCH_SETTINGS, initial: 'constant', steps: 50, checkpoints: 5, tokens: 10, ...search },
  };
}

export interface MaskRun {
  readonly outcome: MaskOutcome;
  readonly events: readonly MaskEvent[];
  readonly questions: readonly string[];
}

export interface MaskWorld {
  readonly losses?: (step: number, masks: readonly ModelMask[], batch: Sequences) => StepLosses['losses'];
  readonly resume?: MaskResume;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: MaskEvent) => void;
}

export async function simulateMasks(
  plan: MaskSearchPlan,
  problem: MaskProblem,
  world: MaskWorld = {},
): Promise<MaskRun> {
  const events: MaskEvent[] = [];
  const questions: string[] = [];
  const losses = world.losses ?? ((_, masks) => masks.map(problem.lossOf));
  const row = (kind: 'groups' | 'channels'): string =>
    packValues(Float32Array.from(problem.importance.flatMap((block) => block[kind])));
  const outcome = await runMaskSearch(
    plan,
    {
      scores() {
        questions.push('scores');
        const blocks = problem.importance.map(({ channels }) => channels.reduce((sum, value) => sum + value, 0));
        return Promise.resolve({
          ...{ groups: row('groups'), channels: row('channels') },
          ...(plan.search.components !== 'heads-channels' && { blocks: packValues(Float32Array.from(blocks)) }),
        });
      },
      losses(step, masks, batch) {
        questions.push(`losses ${step} ${JSON.stringify(masks)} ${JSON.stringify(batch)}`);
        return Promise.resolve({ losses: losses(step, masks, batch), seconds: 0.5 });
      },
      evaluate(step, mask) {
        questions.push(`evaluate ${step} ${JSON.stringify(mask)}`);
        return Promise.resolve({ fitness: Math.exp(problem.lossOf(mask)) });
      },
      emit(event) {
        events.push(event);
        world.onEvent?.(event);
        return Promise.resolve();
      },
    },
    {
      opening: problem.opening,
      ...(world.resume && { resume: world.resume }),
      ...(world.signal && { signal: world.signal }),
    },
  );
  return { outcome, events, questions };
}
