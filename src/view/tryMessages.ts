import * as z from 'zod';
import type { ErrorData } from '../base/errors.ts';
import type { Immutable } from '../base/immutable.ts';
import { MAX_PROMPT, MAX_STOP, MAX_STOPS, MAX_TEMPERATURE, MAX_TOKENS } from './tryLimits.ts';

/** What extension and *Try it* say to each other: prompts in, answers of the dense and of a pruned model out. The page knows nothing but these. */
export type ToTry =
  | { readonly kind: 'state'; readonly state: TryState }
  /** One answer as it is now, in the place of the one that was there. */
  | { readonly kind: 'answer'; readonly exchange: number; readonly place: number; readonly answer: ShownAnswer }
  /** What one answer goes on with. */
  | { readonly kind: 'piece'; readonly exchange: number; readonly place: number; readonly piece: Piece };

export interface TryState {
  readonly subject: ShownSubject;
  /** Oldest first. */
  readonly exchanges: readonly Exchange[];
  /** Whether anything is being answered. */
  readonly isBusy: boolean;
}

/** What answers now. */
export interface ShownSubject {
  /** As a person names the checkpoint. */
  readonly model: string;
  /** `wanda at 50 %`; null: the dense model alone. */
  readonly pruned: string | null;
}

/** A prompt and what was said to it. */
export interface Exchange {
  readonly id: number;
  /** As a person names the checkpoint. */
  readonly model: string;
  readonly asked: Asked;
  /** Of the dense model first. */
  readonly answers: readonly ShownAnswer[];
}

export interface ShownAnswer {
  /** `dense`, `wanda at 50 %`. */
  readonly of: string;
  readonly state: AnswerState;
  readonly text: string;
  /** Tokens so far. */
  readonly tokens: number;
  /** Tokens a second, the first aside: that one waits for the prompt. Null before there is a second. */
  readonly perSecond: number | null;
  /** Tokens of the prompt, and seconds until the first token of the answer; null before it is done. */
  readonly prompt: { readonly tokens: number; readonly seconds: number } | null;
}

export type AnswerState =
  | { readonly kind: 'waiting' }
  /** The model is being read, or pruned and written. `share`: of the work, where it is known. */
  | { readonly kind: 'opening'; readonly detail: string; readonly share: number | null }
  | { readonly kind: 'answering' }
  | { readonly kind: 'done'; readonly end: AnswerEnd }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly error: ErrorData };

/** At a stop text, at a token that ends texts, after as many tokens as were asked for, at the model's length. */
export type AnswerEnd = 'stop' | 'end' | 'most' | 'length';

export interface Piece {
  readonly text: string;
  readonly tokens: number;
  readonly perSecond: number | null;
}

/** A question and how it is to be answered. */
export type Asked = Immutable<z.infer<typeof askedSchema>>;

const askedSchema = z.strictObject({
  prompt: z.string().min(1).max(MAX_PROMPT),
  /** Tokens at most. */
  most: z.int().min(1).max(MAX_TOKENS),
  /** 0: always the likeliest token. */
  temperature: z.number().min(0).max(MAX_TEMPERATURE),
  /** Of what is drawn, the same for every model; plays no part at temperature 0. */
  seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  stops: z.array(z.string().min(1).max(MAX_STOP)).max(MAX_STOPS),
});

/** What a page may say. */
export type FromTry = Immutable<z.infer<typeof fromTrySchema>>;

export const fromTrySchema = z.discriminatedUnion('kind', [
  /** The page is loaded and knows nothing. */
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({ kind: z.literal('ask'), asked: askedSchema }),
  z.strictObject({ kind: z.literal('stop') }),
  /** Another result, which is asked the last prompt too. */
  z.strictObject({ kind: z.literal('choose') }),
  z.strictObject({ kind: z.literal('forget') }),
  z.strictObject({ kind: z.literal('showLog') }),
]);

/** What the page remembers while it is hidden: what is typed and not asked yet. */
export interface TryMemory {
  readonly prompt: string;
  readonly most: string;
  readonly temperature: string;
  readonly seed: string;
  readonly stops: string;
}
