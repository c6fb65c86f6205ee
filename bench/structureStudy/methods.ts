import { OWL, UNIFORM } from '../../src/experiment/structure.ts';
import type { Structure } from '../../src/experiment/structureSchema.ts';
import type { StructureMethod } from '../../src/experiment/structure.ts';
import { findMask } from './findMask.ts';
import { findRates } from './findRates.ts';
import type { StudyContext } from './studyContext.ts';

/** What a method removes at a rate, and what it cost to find out. */
export interface Found {
  readonly structure: Structure;
  readonly note?: string;
}

interface MethodRow {
  readonly title: string;
  /** Names everything beside rate, seed and texts that what it finds depends on. */
  readonly settings: (context: StudyContext) => object;
  readonly find: (context: StudyContext, rate: number) => Promise<Found>;
}

const oneShot = (
  title: string,
  method: StructureMethod,
  rates: 'uniform' | 'owl' | 'global' = 'uniform',
): MethodRow => ({
  title,
  settings: () => ({}),
  find: () =>
    Promise.resolve({
      structure: {
        kind: 'scored',
        score: { kind: 'method', method },
        rates: rates === 'owl' ? OWL : rates === 'global' ? { kind: 'global' } : UNIFORM,
      },
    }),
});

const selfPruner = (title: string, llm: boolean): MethodRow => ({
  title,
  settings: ({ options: { population, offspring, generations } }) => ({ population, offspring, generations }),
  find: (context, rate) => findRates(context, rate, llm),
});

/** The rows of the table, in its order. */
const ROWS = {
  magnitude: oneShot('magnitude', 'magnitude'),
  taylor: oneShot('Taylor (LLM-Pruner)', 'taylor'),
  flap: oneShot('FLAP, uniform', 'flap'),
  'flap-global': oneShot('FLAP, global', 'flap', 'global'),
  'wanda-sp': oneShot('Wanda-sp', 'wanda-sp'),
  owl: oneShot('OWL (Wanda-sp)', 'wanda-sp', 'owl'),
  shortgpt: oneShot('ShortGPT', 'shortgpt'),
  'self-pruner': selfPruner('Self-Pruner, classical operators', false),
  'self-pruner-llm': selfPruner('Self-Pruner, scripted LLM', true),
  'policy-gradient': {
    title: 'policy gradient',
    settings: ({ options: { steps, masks, learningRate, centre } }) => ({ steps, masks, learningRate, centre }),
    find: findMask,
  },
} as const satisfies Record<string, MethodRow>;

export type MethodName = keyof typeof ROWS;
export const METHODS: Readonly<Record<MethodName, MethodRow>> = ROWS;
export const METHOD_NAMES = Object.keys(ROWS) as readonly MethodName[];
