import { isWeightUpdate } from '../../experiment/updates.ts';
import type * as z from 'zod';
import type { Immutable } from '../../base/immutable.ts';
import { packBits } from '../../experiment/components.ts';
import type { Candidate } from '../../experiment/measuringSchema.ts';
import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { BlockComponents, ModelMask } from '../../experiment/structureSchema.ts';
import type { RateSearchPlan } from './plan.ts';
import type { droppedSchema } from './schema.ts';
import { dropsLayers } from './evopress/plan.ts';
import { evaluationOf, targetWords } from './target.ts';

/** What a search for rates proposes. */
export interface Configuration {
  /** One for each block: the share of its weights that goes. */
  readonly rates: readonly number[];
  /** The layers that go as a whole, where the rates follow from these. */
  readonly dropped?: DroppedLayers;
}

export type DroppedLayers = Immutable<z.infer<typeof droppedSchema>>;

/** What a worker measures of it. @param components of the model, block by block */
export function measurable({ rates, dropped }: Configuration, components: readonly BlockComponents[]): Candidate {
  return dropped ? { kind: 'mask', mask: maskWithout(dropped, components) } : { kind: 'rates', rates };
}

/** What it is evaluated as outside of the search. @param name what the evaluation is called; as the target without it */
export function evaluationWith(
  plan: RateSearchPlan,
  { rates, dropped }: Configuration,
  components: readonly BlockComponents[],
  name?: string,
): PlannedEvaluation {
  if (!dropped) return evaluationOf(plan, { kind: 'given', rates }, name);
  return {
    metric: name ?? `${plan.name}, EvoPress`,
    structure: { kind: 'mask', mask: maskWithout(dropped, components) },
    sparsity: plan.sparsity,
    ...(plan.update && !isWeightUpdate(plan.update) && { update: plan.update }),
  };
}

/** What a search looks for, for a person: `rates of heads and channels by wanda-sp`. @param quote what a name is set in */
export function subjectWords(
  plan: Pick<RateSearchPlan, 'target' | 'search'>,
  quote = (name: string): string => name,
): string {
  const target = targetWords(plan.target, quote);
  return dropsLayers(plan) ? `attention and MLP layers to drop (baselines: ${target})` : `rates of ${target}`;
}

/** Whether whole components go, so that the model gets smaller. */
export function removesComponents(plan: Pick<RateSearchPlan, 'target' | 'search'>): boolean {
  return plan.target.kind === 'structure' || dropsLayers(plan);
}

/** What it is, of more that is known of it. */
export function configurationOf({ rates, dropped }: Configuration): Configuration {
  return { rates, ...(dropped && { dropped }) };
}

/** For a person. @param ratesText the rates in it, as `20 30 45 %` without it */
export function configurationText({ rates, dropped }: Configuration, ratesText = inPercent): string {
  return dropped ? `${ratesText(rates)}, ${droppedText(dropped)}` : ratesText(rates);
}

/** The columns of a table of configurations, and the cells of one. Blocks count from 1. */
export function configurationColumns(
  all: readonly Configuration[],
  blocks = all[0]?.rates.length ?? 0,
): { readonly names: readonly string[]; readonly cellsOf: (one: Configuration) => readonly (string | number)[] } {
  const drops = all.some(({ dropped }) => dropped !== undefined);
  const numbers = (of: readonly number[] = []): string => of.map((block) => block + 1).join(' ');
  return {
    names: [
      ...(drops ? ['without attention', 'without MLP'] : []),
      ...Array.from({ length: blocks }, (_, i) => `block ${i + 1}`),
    ],
    cellsOf: ({ rates, dropped }) => [...(drops ? [numbers(dropped?.attention), numbers(dropped?.mlp)] : []), ...rates],
  };
}

function inPercent(rates: readonly number[]): string {
  return `${rates.map((rate) => Math.round(rate * 100)).join(' ')} %`;
}

/** `without attention 3, 6 and MLP 6`, blocks counted from 1, as people are told of them everywhere. */
export function droppedText({ attention, mlp }: DroppedLayers): string {
  const numbers = (blocks: readonly number[]): string => blocks.map((block) => block + 1).join(', ');
  const named = [
    ...(attention.length > 0 ? [`attention ${numbers(attention)}`] : []),
    ...(mlp.length > 0 ? [`MLP ${numbers(mlp)}`] : []),
  ];
  return named.length === 0 ? 'without any layer dropped' : `without ${named.join(' and ')}`;
}

function maskWithout({ attention, mlp }: DroppedLayers, components: readonly BlockComponents[]): ModelMask {
  const bits = (count: number, isKept: boolean): string => packBits(new Uint8Array(count).fill(isKept ? 1 : 0));
  return components.map(({ groups, channels }, i) => {
    const [keepsAttention, keepsMlp] = [!attention.includes(i), !mlp.includes(i)];
    return {
      groups: bits(groups, keepsAttention),
      channels: bits(channels, keepsMlp),
      ...(!keepsAttention && !keepsMlp && { dropped: true as const }),
    };
  });
}
