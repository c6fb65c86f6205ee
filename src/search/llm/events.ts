import type * as z from 'zod';
import type { Immutable } from '../../base/immutable.ts';
import type { llmEvents, llmReplySchema, llmUsageSchema } from './schema.ts';

/** What a search says of its language model. */
export type LlmEvent = Immutable<z.infer<(typeof llmEvents)[number]>>;
export type LlmAskedEvent = Extract<LlmEvent, { kind: 'llm-asked' }>;
export type LlmRepliedEvent = Extract<LlmEvent, { kind: 'llm-replied' }>;
export type FallbackEvent = Extract<LlmEvent, { kind: 'fallback' }>;
export type LlmReply = Immutable<z.infer<typeof llmReplySchema>>;
export type LlmUsage = Immutable<z.infer<typeof llmUsageSchema>>;
