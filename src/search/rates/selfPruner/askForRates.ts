import { throwIfCancelled } from '../../../base/errors.ts';
import type { RateRole } from './roles.ts';
import type { SelfPrunerContext } from './context.ts';
import { parseReply } from './parseReply.ts';
import type { ParsedList } from './parseReply.ts';
import { writePrompt } from './prompts.ts';
import type { Shown } from './prompts.ts';
import { ratesKey } from '../rates.ts';

export interface RateAnswer {
  readonly lists: readonly LlmList[];
  /** Why there are fewer than were wanted; empty where there are not. */
  readonly shortfall: readonly string[];
}

export interface LlmList extends ParsedList {
  /** The request whose reply it stood in. */
  readonly call: number;
}

/**
 * Asks the language model for lists of rates, in batches that a reply has room for. Where a reply has too few that can be used it is
 * asked again for the rest, with the reasons, as often as the settings say. A request that failed is not followed by another one in
 * the same generation: tries in vain are the provider's part, and whoever waits for a server that is down waits for every one of them.
 */
export async function askForRates(
  role: RateRole,
  generation: number,
  wanted: number,
  population: readonly Shown[],
  known: ReadonlySet<string>,
  context: SelfPrunerContext,
): Promise<RateAnswer> {
  const { plan, space, account } = context;
  const lists: LlmList[] = [];
  const shortfall: string[] = [];
  const taken = new Set(known);
  const size = batchSize(space.shares.length, plan.llm.replyTokens);

  for (let begin = 0; begin < wanted; begin += size) {
    let missing = Math.min(size, wanted - begin);
    let reasons: readonly string[] | undefined;
    for (let attempt = 0; missing > 0; attempt++) {
      const stop = mayNotAsk(generation, context) ?? (attempt > plan.llm.reasks ? TOO_FEW : undefined);
      if (stop !== undefined) {
        shortfall.push(stop);
        break;
      }
      const request = { role, count: missing, population, ...(reasons && { reasons }) };
      const prompt = writePrompt(plan, context, request);
      const call = account.begin();
      throwIfCancelled(context.options.signal, 'searching');
      const reply = await context.effects.ask({ call, role, attempt, wanted: missing, generation, prompt });
      account.replied(reply);
      if (reply.kind === 'failed') {
        const { code, actual } = reply.error;
        const reason = code === 'llm/cap' ? actual : `the language model could not be asked (${actual})`;
        context.failure = { generation, reason };
        continue;
      }
      if (reply.kind === 'lost') {
        // It may have been paid for: the same is not asked twice.
        shortfall.push('the reply was lost when the search was interrupted');
        break;
      }
      const parsed = parseReply(reply.text, { space, count: missing, known: taken });
      account.read(parsed);
      for (const list of parsed.lists) {
        taken.add(ratesKey(list.rates));
        lists.push({ ...list, call });
      }
      missing -= parsed.lists.length;
      reasons = parsed.refused.length > 0 ? parsed.refused : [tooFew(parsed.lists.length)];
    }
  }
  return { lists, shortfall };
}

function mayNotAsk(generation: number, { failure }: SelfPrunerContext): string | undefined {
  return failure?.generation === generation ? failure.reason : undefined;
}

const TOO_FEW = 'too few of its lists could be used';

function tooFew(lists: number): string {
  if (lists === 0) return 'there was no list in square brackets';
  return lists === 1 ? 'there was only one list' : `there were only ${lists} lists`;
}

/**
 * Lists that are asked for at once: ten are what models write out without shortening, and three quarters of the longest reply must
 * have room for them.
 */
export function batchSize(blocks: number, replyTokens: number): number {
  return Math.max(1, Math.min(MOST_LISTS, Math.floor((0.75 * replyTokens) / tokensOfList(blocks))));
}

const MOST_LISTS = 10;

/** Of one list of rates, roughly: `0.30000, ` as common tokenizers cut it, and some room. */
export function tokensOfList(blocks: number): number {
  return TOKENS_OF_A_RATE * blocks + TOKENS_OF_A_LIST;
}

const TOKENS_OF_A_RATE = 6;
const TOKENS_OF_A_LIST = 4;
