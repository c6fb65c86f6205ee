import type { LlmUsage } from './llm.ts';
import type { RunEvent } from '../kinds.ts';
import type {
  Configuration,
  ConfigurationEvent,
  FallbackEvent,
  IterationEvent,
  LlmAskedEvent,
  LlmReply,
  RateBaselineEvent,
  RateCounts,
  RateOperator,
  StructureFinalistEvent,
  StructureOpening,
} from './events.ts';
import { foldBreak, newTimes, tick } from '../lifecycle/state.ts';
import type { StateBase, StateTimes } from '../lifecycle/state.ts';

/**
 * All that is known of a search for rates from its events. It grows in place, as the state of a search for metrics does: whoever shows it
 * compares {@link StateBase.revision}.
 */
export interface RateState extends StateBase {
  readonly opening: StructureOpening | undefined;
  readonly baselines: readonly RateBaselineEvent[];
  /** In the order of their ids. */
  readonly configurations: readonly Configuration[];
  readonly byId: ReadonlyMap<number, Configuration>;
  readonly iterations: readonly IterationEvent[];
  /** Up to now; of the lists in replies and of fallbacks up to the end of the last iteration. */
  readonly counts: RateCounts;
  /** Each new best, with the work that had been done by then; the last one is the best. */
  readonly improvements: readonly RateImprovement[];
  /** Requests to the language model, without the texts. */
  readonly calls: readonly LlmCall[];
  readonly fallbacks: readonly FallbackEvent[];
  /** Evaluated again at the end, baselines among them. */
  readonly finalists: readonly StructureFinalistEvent[];
  /** Ids, best first; empty until the search is finished. */
  readonly ranking: readonly number[];
  readonly times: RateTimes;
}

export interface RateImprovement {
  readonly id: number;
  readonly generation: number;
  readonly operator: RateOperator;
  readonly perplexity: number;
  /** Configurations measured by then. */
  readonly evaluations: number;
}

export interface LlmCall extends Omit<LlmAskedEvent, 'kind' | 'prompt'> {
  /** Undefined while it is waited for. */
  readonly reply?: LlmCallReply;
  readonly seconds?: number;
}

export type LlmCallReply =
  | { readonly kind: 'text'; readonly usage: LlmUsage; readonly cost: number; readonly model: string }
  | Exclude<LlmReply, { readonly kind: 'text' }>;

export interface RateTimes extends StateTimes {
  /** Work until the end of each iteration, in the order of {@link RateState.iterations}. */
  readonly iterationEnds: readonly number[];
}

export function newRateState(): RateState {
  const counts = {
    ...{ configurations: 0, evaluations: 0, duplicates: 0, invalid: 0, calls: 0, failedCalls: 0 },
    ...{ listsUsed: 0, listsRepaired: 0, listsRefused: 0, fallbacks: 0, promptTokens: 0, replyTokens: 0, cost: 0 },
  };
  const state: Growing = {
    ...{ revision: 0, status: 'starting', opening: undefined, counts, error: undefined },
    ...{ baselines: [], configurations: [], byId: new Map(), iterations: [], improvements: [] },
    ...{ calls: [], fallbacks: [], quarantined: [], finalists: [], ranking: [] },
    times: { ...newTimes(), iterationEnds: [] },
  };
  return state;
}

/**
 * The one fold over the events of a search for rates; those of other searches are passed over.
 *
 * @param at when the event was kept, in milliseconds since 1970
 * @returns the same state, grown
 */
export function foldRateEvent(state: RateState, event: RunEvent, at: number): RateState {
  const growing = state as Growing;
  tick(growing, event.kind, at);
  fold(growing, event);
  return state;
}

/** The best rates: of a finished search those that the finalists' evaluation puts first. */
export function bestConfiguration({ ranking, improvements, byId }: RateState): Configuration | undefined {
  const id = ranking[0] ?? improvements.at(-1)?.id;
  return id === undefined ? undefined : byId.get(id);
}

/** How many of the improvements are the language model's. */
export function improvementsByLlm({ improvements }: RateState): number {
  return improvements.filter(({ operator }) => operator.startsWith('llm-')).length;
}

type Growing = {
  -readonly [Key in keyof RateState]: RateState[Key] extends readonly (infer Item)[]
    ? Item[]
    : RateState[Key] extends ReadonlyMap<infer K, infer V>
      ? Map<K, V>
      : RateState[Key] extends RateCounts
        ? { -readonly [Name in keyof RateCounts]: number }
        : RateState[Key] extends RateTimes
          ? { -readonly [Name in keyof StateTimes]: StateTimes[Name] } & { iterationEnds: number[] }
          : RateState[Key];
};

function fold(state: Growing, event: RunEvent): void {
  switch (event.kind) {
    case 'structure-opened':
      state.opening = event;
      state.status = 'running';
      return;
    case 'rate-baseline':
      state.baselines.push(event);
      return;
    case 'configuration-measured':
      // Baselines, below zero, are no work of the search.
      if (event.id >= 0) state.counts.evaluations++;
      return;
    case 'configuration':
      foldConfiguration(state, event);
      return;
    case 'iteration':
      state.iterations.push(event);
      state.counts = { ...event.counts };
      state.times.iterationEnds.push(state.times.worked);
      return;
    case 'llm-asked': {
      const { call, generation, role, attempt, wanted } = event;
      state.calls.push({ call, generation, role, attempt, wanted });
      return;
    }
    case 'llm-replied':
      foldReply(state, event.call, event.reply, event.seconds);
      return;
    case 'fallback':
      state.fallbacks.push(event);
      return;
    case 'structure-finalist':
      state.finalists.push(event);
      return;
    case 'rates-finished':
      state.status = 'finished';
      state.counts = { ...event.counts };
      state.ranking = [...event.best];
      return;
    case 'quarantined':
      state.quarantined.push(event);
      return;
    case 'resumed':
    case 'paused':
    case 'failed':
      foldBreak(state, event);
      return;
    // Of other searches, or of no account here.
    case 'baseline':
    case 'candidate':
    case 'finalist':
    case 'finished':
    case 'generation':
    case 'masks-finished':
    case 'measured':
    case 'opened':
    case 'probabilities':
    case 'probed':
    case 'scores':
    case 'step':
      return;
  }
}

function foldConfiguration(state: Growing, event: ConfigurationEvent): void {
  state.configurations.push(event);
  state.byId.set(event.id, event);
  const { id, generation, operator, outcome } = event;
  state.counts.configurations++;
  if (outcome.kind === 'invalid') state.counts.invalid++;
  if (outcome.kind === 'shared') state.counts.duplicates++;
  if (outcome.kind === 'invalid') return;
  const { perplexity } = outcome;
  if (perplexity >= (state.improvements.at(-1)?.perplexity ?? Infinity)) return;
  state.improvements.push({ id, generation, operator, perplexity, evaluations: state.counts.evaluations });
}

function foldReply(state: Growing, call: number, reply: LlmReply, seconds: number): void {
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
