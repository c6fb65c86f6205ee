import { NO_LLM_COUNTS } from './selfPruner/llmAccount.ts';
import type { ComponentsOpening, MeasuredEvent } from '../lifecycle/events.ts';
import { emptyPopulation, foldPopulation } from '../lifecycle/population.ts';
import type { PopulationState } from '../lifecycle/population.ts';
import { tick } from '../lifecycle/state.ts';
import type { Growing } from '../lifecycle/state.ts';
import type { RateBaseline, RateCandidate, RateCounts, RateEvent } from './events.ts';
import type { FallbackEvent, LlmAskedEvent, LlmReply, LlmUsage } from './selfPruner/events.ts';

/** All that is known of a search for rates from its events. `counts` of the lists in replies and of fallbacks go up to the end of the last generation. */
export interface RateState extends PopulationState<RateCandidate, RateCounts, ComponentsOpening, RateBaseline> {
  readonly kind: 'rates';
  /** Requests to the language model, without the texts. */
  readonly calls: readonly LlmCall[];
  readonly fallbacks: readonly FallbackEvent[];
}

export interface LlmCall extends Omit<LlmAskedEvent, 'kind' | 'prompt'> {
  /** Undefined while it is waited for. */
  readonly reply?: LlmCallReply;
  readonly seconds?: number;
}

export type LlmCallReply =
  | { readonly kind: 'text'; readonly usage: LlmUsage; readonly cost: number; readonly model: string }
  | Exclude<LlmReply, { readonly kind: 'text' }>;

export function newRateState(): RateState {
  const counts = { candidates: 0, evaluations: 0, duplicates: 0, invalid: 0, ...NO_LLM_COUNTS };
  return { kind: 'rates', ...emptyPopulation(), calls: [], fallbacks: [], counts };
}

/**
 * The one fold over the events of a search for rates.
 *
 * @param at when the event was kept, in milliseconds since 1970
 * @returns the same state, grown
 */
export function foldRateEvent(state: RateState, event: RateEvent, at: number): RateState {
  const growing = state as Growing<RateState>;
  tick(growing, event.kind, at);
  if (event.kind === 'measured') {
    // Baselines, below zero, are no work of the search.
    if (event.id >= 0) growing.counts.evaluations += shareOfText(event, growing.opening);
  } else if (event.kind === 'llm-asked') {
    const { call, generation, role, attempt, wanted } = event;
    growing.calls.push({ call, generation, role, attempt, wanted });
  } else if (event.kind === 'llm-replied') foldReply(growing, event.call, event.reply, event.seconds);
  else if (event.kind === 'fallback') growing.fallbacks.push(event);
  else {
    if (event.kind === 'candidate') count(growing.counts, event);
    foldPopulation(growing, event);
  }
  return state;
}

/** The best rates: of a finished search those that the finalists' evaluation puts first. */
export function bestConfiguration({ ranking, improvements, byId }: RateState): RateCandidate | undefined {
  const id = ranking[0] ?? improvements.at(-1)?.id;
  return id === undefined ? undefined : byId.get(id);
}

/** How many of the improvements are the language model's. */
export function improvementsByLlm({ improvements }: RateState): number {
  return improvements.filter(({ operator }) => operator.startsWith('llm-')).length;
}

/** What is measured of a candidate, in units of the whole fitness text; one that failed took as much as one that did not. */
function shareOfText({ measure }: MeasuredEvent, opening: ComponentsOpening | undefined): number {
  return measure.kind === 'loss' && opening ? measure.blocks / opening.blocks : 1;
}

function count(counts: Growing<RateCounts>, { outcome }: RateCandidate): void {
  counts.candidates++;
  if (outcome.kind === 'invalid') counts.invalid++;
  if (outcome.kind === 'shared') counts.duplicates++;
}

function foldReply(state: Growing<RateState>, call: number, reply: LlmReply, seconds: number): void {
  const place = state.calls.findLastIndex((asked) => asked.call === call);
  if (place !== -1) state.calls[place] = { ...state.calls[place]!, reply: withoutText(reply), seconds };
  if (reply.kind === 'text') state.counts.calls++;
  // Beyond the cap nothing was asked.
  else if (reply.kind === 'lost' || reply.error.code !== 'llm/cap') state.counts.failedCalls++;
  if (reply.kind === 'lost') return;
  state.counts.promptTokens += reply.usage?.promptTokens ?? 0;
  state.counts.replyTokens += reply.usage?.replyTokens ?? 0;
  state.counts.cost += reply.cost ?? 0;
}

function withoutText(reply: LlmReply): LlmCallReply {
  if (reply.kind !== 'text') return reply;
  const { kind, usage, cost, model } = reply;
  return { kind, usage, cost, model };
}
