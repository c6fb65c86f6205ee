import * as z from 'zod';
import type { Immutable } from '../base/immutable.ts';
import { amountSchema, countSchema, hashSchema, nameSchema, shareSchema, textSchema } from '../base/scalarSchemas.ts';
import { evaluationFields, evaluationSchema } from './planSchema.ts';

/** Tokens, texts and prompts of one question at most: what comes from outside is bounded. */
const MAX_IDS = 1 << 20;
const MAX_TEXT = 1 << 24;
export const MAX_PROMPTS = 256;
export const MAX_STOPS = 16;
/** Alternatives to a token that can be asked for. */
export const MAX_ALTERNATIVES = 100;

/** A model to be opened for questions: the plan's checkpoint, or what its only evaluation makes of it. */
export type ServedPlan = Immutable<z.infer<typeof servedPlanSchema>>;

export const servedPlanSchema = z.strictObject({
  // Where nothing is pruned no text is needed; else any will do.
  ...evaluationFields,
  evaluations: z.array(evaluationSchema).max(1),
});

/** A model that is open for questions. */
export type Served = Immutable<z.infer<typeof servedSchema>>;

export const servedSchema = z.strictObject({
  /** What questions name it by. */
  served: countSchema,
  /** `dense`, or the name of the evaluation's metric. */
  name: nameSchema,
  model: nameSchema,
  /** Of all that decides its numbers, but for what is asked. */
  fingerprint: hashSchema,
  parameters: countSchema,
  vocabulary: countSchema,
  /** Tokens of the longest text, what is generated included. */
  length: countSchema,
  /** Ids that end a text; none where config.json has none. */
  ends: z.array(countSchema),
  /** The model has no room in memory: each token reads the weights from the disk again. */
  streams: z.boolean(),
  /** Bytes of keys and values for each token of a sequence. */
  cacheBytes: amountSchema,
});

/** An open model that is asked no more. */
export type ClosingServed = Immutable<z.infer<typeof closingServedSchema>>;

export const closingServedSchema = z.strictObject({ served: countSchema });

const promptSchema = z.union([z.string().max(MAX_TEXT), z.array(countSchema).max(MAX_IDS)]);

/** What is asked of an open model: to go on from each prompt. */
export type Generating = Immutable<z.infer<typeof generatingSchema>>;

export const generatingSchema = z.strictObject({
  served: countSchema,
  /** Texts, which get the special tokens that the tokenizer adds, or token ids as they are. */
  prompts: z.array(promptSchema).min(1).max(MAX_PROMPTS),
  /** Tokens to generate at most. */
  most: countSchema.min(1).max(MAX_IDS),
  /** Texts that end what is generated; they are not part of it. */
  stops: z.array(nameSchema).max(MAX_STOPS).exactOptional(),
  /** 0, and without it: always the likeliest token. */
  temperature: z.number().min(0).max(100).exactOptional(),
  /** Of the likeliest tokens those whose probabilities have this sum. */
  topP: shareSchema.exactOptional(),
  /** Of what is drawn; each prompt draws for itself. */
  seed: countSchema.exactOptional(),
  /** How many of the likeliest tokens are told at each place; without it log-probabilities are not. */
  alternatives: countSchema.max(MAX_ALTERNATIVES).exactOptional(),
});

/** A token that might stand in a place, and the logarithm of its probability there. */
export type Alternative = Immutable<z.infer<typeof alternativeSchema>>;

const alternativeSchema = z.strictObject({ id: countSchema, logProbability: z.number() });

/** A token of what is generated, as it comes. */
export type GeneratedToken = Immutable<z.infer<typeof generatedTokenSchema>>;

export const generatedTokenSchema = z.strictObject({
  /** Which prompt goes on. */
  prompt: countSchema,
  id: countSchema,
  /** What is certain of the text now: that of the token, of several, or none. */
  text: textSchema,
  /** Where alternatives are asked for. */
  logProbability: z.number().exactOptional(),
  alternatives: z.array(alternativeSchema).exactOptional(),
});

/**
 * Why it ended: at one of the stops, at a token that ends texts, after as many tokens as were asked for, or where the model's length is used up.
 */
export const GENERATION_ENDS = ['stop', 'end', 'most', 'length'] as const;

export type Generated = Immutable<z.infer<typeof generatedSchema>>;

export const generatedSchema = z.strictObject({
  /** In the order of the prompts. */
  answers: z.array(
    z.strictObject({
      /** Continues the text of the prompt. */
      text: z.string(),
      /** With those of a stop, and the one that ends the text. */
      ids: z.array(countSchema),
      end: z.enum(GENERATION_ENDS),
      promptTokens: countSchema,
      /** Of each token, where alternatives are asked for. */
      tokens: z
        .array(z.strictObject({ logProbability: z.number(), alternatives: z.array(alternativeSchema) }))
        .exactOptional(),
    }),
  ),
  /** Tokens of the prompts and seconds until their first tokens; tokens after those, and theirs. */
  prefill: z.strictObject({ tokens: countSchema, seconds: amountSchema }),
  decode: z.strictObject({ tokens: countSchema, seconds: amountSchema }),
  /** Most that keys and values took. */
  cacheBytes: amountSchema,
});
