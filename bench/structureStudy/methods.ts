import { WANDA } from '../../src/engine/structure/metricScorer.ts';
import type { PlannedEvaluation } from '../../src/experiment/planSchema.ts';
import { OWL, UNIFORM } from '../../src/experiment/structure.ts';
import type { StructureMethod } from '../../src/experiment/structure.ts';
import type { RateAllocation } from '../../src/experiment/structureSchema.ts';
import type { EvoPressSettings } from '../../src/search/rates/evopress/settings.ts';
import type { RateTarget } from '../../src/search/rates/plan.ts';
import { evaluationOf } from '../../src/search/rates/target.ts';
import { findByEvoPress } from './findByEvoPress.ts';
import { findBySelfPruner } from './findBySelfPruner.ts';
import { findMask } from './findMask.ts';
import type { StudyContext } from './studyContext.ts';

/** What a method removes at a rate, and what it cost to find out. */
export interface Found {
  readonly evaluation: PlannedEvaluation;
  readonly note?: string;
}

interface MethodRow {
  readonly title: string;
  /** Names everything beside rate, seed and texts that what it finds depends on. */
  readonly settings: (context: StudyContext) => object;
  readonly find: (context: StudyContext, rate: number) => Promise<Found>;
}

const oneShot = (title: string, target: RateTarget, rates: RateAllocation = UNIFORM): MethodRow => ({
  title,
  settings: () => ({}),
  find: (_, rate) =>
    Promise.resolve({ evaluation: evaluationOf({ target, sparsity: { kind: 'unstructured', share: rate } }, rates) }),
});

const selfPruner = (title: string, target: RateTarget, llm: boolean): MethodRow => ({
  title,
  settings: ({ options: { population, offspring, generations } }) => ({ population, offspring, generations }),
  find: (context, rate) => findBySelfPruner(context, rate, target, llm),
});

const evoPress = (title: string, target: RateTarget, drop: EvoPressSettings['drop']): MethodRow => ({
  title,
  settings: ({ options: { population, offspring, generations, lambda, levelStep } }) => ({
    ...{ population, offspring, generations, lambda },
    ...(drop === 'off' && { levelStep }),
  }),
  find: (context, rate) => findByEvoPress(context, rate, target, drop),
});

/** Heads and channels, chosen by a method. */
const components = (method: StructureMethod): RateTarget => ({
  kind: 'structure',
  name: method,
  score: { kind: 'method', method },
});
const WANDA_SP = components('wanda-sp');
/** Single weights. */
const WEIGHTS: RateTarget = { kind: 'weights', metric: 'wanda', expression: WANDA };

/** What removes heads, channels and whole layers, in the order of the table. */
const STRUCTURAL_ROWS = {
  magnitude: oneShot('magnitude', components('magnitude')),
  taylor: oneShot('Taylor (LLM-Pruner)', components('taylor')),
  flap: oneShot('FLAP, uniform', components('flap')),
  'flap-global': oneShot('FLAP, global', components('flap'), { kind: 'global' }),
  'wanda-sp': oneShot('Wanda-sp', WANDA_SP),
  owl: oneShot('OWL (Wanda-sp)', WANDA_SP, OWL),
  shortgpt: oneShot('ShortGPT', components('shortgpt')),
  // Layers go whole: what would score their components decides nothing.
  'evopress-layers': evoPress('EvoPress, attention and MLP layers dropped', WANDA_SP, 'sublayers'),
  'self-pruner': selfPruner('Self-Pruner, classical operators', WANDA_SP, false),
  'self-pruner-llm': selfPruner('Self-Pruner, scripted LLM', WANDA_SP, true),
  evopress: evoPress('EvoPress', WANDA_SP, 'off'),
  'policy-gradient': {
    title: 'policy gradient',
    settings: ({ options: { steps, masks, learningRate, centre } }) => ({ steps, masks, learningRate, centre }),
    find: findMask,
  },
} as const satisfies Record<string, MethodRow>;

/** What removes single weights. */
const WEIGHT_ROWS = {
  weights: oneShot('Wanda', WEIGHTS),
  'weights-owl': oneShot('Wanda, OWL', WEIGHTS, OWL),
  'weights-self-pruner': selfPruner('Wanda, Self-Pruner with classical operators', WEIGHTS, false),
  'weights-evopress': evoPress('Wanda, EvoPress', WEIGHTS, 'off'),
} as const satisfies Record<string, MethodRow>;

const ROWS = { ...STRUCTURAL_ROWS, ...WEIGHT_ROWS };

export type MethodName = keyof typeof ROWS;
export const METHODS: Readonly<Record<MethodName, MethodRow>> = ROWS;
export const METHOD_NAMES = Object.keys(ROWS) as readonly MethodName[];
export const STRUCTURAL_NAMES = Object.keys(STRUCTURAL_ROWS) as readonly MethodName[];
export const WEIGHT_NAMES = Object.keys(WEIGHT_ROWS) as readonly MethodName[];
