import * as z from 'zod';
import type { Expression } from '../metric/expression.ts';
import type { BlockComponents, ModelMask } from './components.ts';
import { STRUCTURE_METHOD_NAMES } from './structure.ts';
import type { RateAllocation, Structure, StructureReport, StructureScore } from './structure.ts';

/** Structures as they come from outside, checked on arrival; each schema is tied to the type of the same name. */

/** Far beyond any model. */
export const MAX_BLOCKS = 10_000;
const MAX_COMPONENTS = 1 << 22;
const count = z.int().min(0);
const share = z.number().min(0).max(1);
const bits = z
  .string()
  .max(MAX_COMPONENTS / 4)
  .regex(/^[0-9a-f]*$/, 'expected bits in hexadecimal');
const dropped = z.literal(true).exactOptional();

const componentsShape = z.strictObject({
  groups: count.max(MAX_COMPONENTS),
  channels: count.max(MAX_COMPONENTS),
  groupWeights: count,
  channelWeights: count,
});

const maskShape = z.array(z.strictObject({ groups: bits, channels: bits, dropped })).max(MAX_BLOCKS);

const ratesShape = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('uniform') }),
  z.strictObject({ kind: z.literal('owl'), multiple: z.number().positive(), spread: z.number().min(0).max(0.5) }),
  z.strictObject({ kind: z.literal('global') }),
  z.strictObject({ kind: z.literal('given'), rates: z.array(share).max(MAX_BLOCKS) }),
]);

/** @param expression schema of the metrics that may stand in a score */
export function structureSchemas(expression: z.ZodType<Expression>) {
  const score = z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('method'), method: z.enum(STRUCTURE_METHOD_NAMES) }),
    z.strictObject({ kind: z.literal('metric'), expression }),
  ]);
  const structure = z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('scored'), score, rates: ratesShape }),
    z.strictObject({ kind: z.literal('mask'), mask: maskShape }),
  ]);
  [true, true] satisfies [Matches<typeof score, StructureScore>, Matches<typeof structure, Structure>];
  return {
    structureScoreSchema: score as unknown as z.ZodType<StructureScore>,
    structureSchema: structure as unknown as z.ZodType<Structure>,
  };
}

const kept = z.strictObject({ kept: count, of: count });
const reportShape = z.strictObject({
  method: z.enum([...STRUCTURE_METHOD_NAMES, 'metric', 'mask']),
  allocation: z.enum(['uniform', 'owl', 'global', 'given', 'mask']),
  blocks: z
    .array(
      z.strictObject({
        rate: z.number().exactOptional(),
        removed: share,
        groups: kept,
        channels: kept,
        groupBits: bits,
        channelBits: bits,
        dropped,
      }),
    )
    .max(MAX_BLOCKS),
  parameters: z.strictObject({ dense: count, pruned: count }),
});

// The shapes under the names of their types; that the two say the same is checked below.
export const componentsSchema = componentsShape as unknown as z.ZodType<BlockComponents>;
export const modelMaskSchema = maskShape as unknown as z.ZodType<ModelMask>;
export const ratesSchema = ratesShape as unknown as z.ZodType<RateAllocation>;
export const structureReportSchema = reportShape as unknown as z.ZodType<StructureReport>;

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Mutable<T> = T extends object ? { -readonly [Key in keyof T]: Mutable<T[Key]> } : T;
type Matches<Schema extends z.ZodType, Type> = Same<Mutable<z.infer<Schema>>, Mutable<Type>>;

// Does not compile where a schema and its type say different things.
[true, true, true, true] satisfies [
  Matches<typeof componentsShape, BlockComponents>,
  Matches<typeof maskShape, ModelMask>,
  Matches<typeof ratesShape, RateAllocation>,
  Matches<typeof reportShape, StructureReport>,
];
