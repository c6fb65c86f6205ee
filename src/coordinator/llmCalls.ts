import { cancelledError, EspalierError, toErrorData } from '../base/errors.ts';
import type { LlmSettings } from '../search/llm/settings.ts';
import { askedRoles } from '../search/asking.ts';
import type { AskingPlan } from '../search/asking.ts';
import type { LlmAskedEvent, LlmEvent, LlmRepliedEvent, LlmReply, LlmUsage } from '../search/llm/events.ts';
import { connectLanguageModel } from '../llm/connect.ts';
import type { LanguageModelAccess } from '../llm/connect.ts';
import { addUsage, estimateUsage, LanguageModelError, LostReply } from '../llm/languageModel.ts';
import type { LanguageModel } from '../llm/languageModel.ts';
import type { RunFolder } from '../runs/runFolder.ts';
import type { LlmRequest } from '../search/llm/request.ts';
import { SYSTEM_CLOCK } from './clock.ts';
import { checkSame, divergedError } from './divergence.ts';
import type { Drive } from './searchRun.ts';

/** What asking needs of a {@link Drive}. */
type LlmDrive = Pick<Drive, 'clock' | 'signal'> & {
  readonly append: (...events: readonly LlmEvent[]) => Promise<void>;
};

/**
 * The requests of one run to its language model. Each is on the disk before it is sent, and its reply before anybody hears it: so a reply is
 * never paid for twice. A request that the journal has without a reply was under way when its process ended. It may have been paid for,
 * and counts as lost.
 */
export class LlmCalls {
  private readonly plan: AskingPlan;
  private readonly run: RunFolder;
  private readonly access: LanguageModelAccess;
  private readonly asked = new Map<number, LlmAskedEvent>();
  private readonly replied = new Map<number, LlmReply>();
  private readonly spent = { tokens: 0, cost: 0 };
  private model: Promise<LanguageModel | undefined> | undefined;

  constructor(
    plan: AskingPlan,
    { run, languageModel }: { readonly run: RunFolder; readonly languageModel: LanguageModelAccess },
  ) {
    this.plan = plan;
    this.run = run;
    this.access = languageModel;
  }

  /** Requests that the journal has. */
  get recalled(): number {
    return this.asked.size;
  }

  recall(event: LlmAskedEvent | LlmRepliedEvent): void {
    if (event.kind === 'llm-asked') this.asked.set(event.call, event);
    else {
      this.replied.set(event.call, event.reply);
      this.count(event.reply, event.call);
    }
  }

  /**
   * Reaches the language model as far as that costs nothing.
   *
   * @throws EspalierError where it cannot be asked at all: no key, no editor, nothing to replay
   */
  async prepare(): Promise<void> {
    if (askedRoles(this.plan).length > 0) await this.connect();
  }

  /** @throws EspalierError `cancelled`, and what {@link prepare} throws; failures of the provider are replies */
  async ask(request: LlmRequest, { append, clock, signal }: LlmDrive): Promise<LlmReply> {
    const { call } = request;
    const before = this.asked.get(call);
    const event: LlmAskedEvent = { kind: 'llm-asked', ...request };
    if (before) checkSame(`request ${call} to the language model`, before, event);
    const known = this.replied.get(call);
    if (known) return known;
    const keep = async (reply: LlmReply, seconds: number): Promise<LlmReply> => {
      this.count(reply, call);
      await append({ kind: 'llm-replied', call, reply, seconds });
      return reply;
    };
    if (before) return keep({ kind: 'lost' }, 0);
    const { prompt, role, generation } = request;
    const least = estimateUsage(prompt, '');
    const limit = this.limitReached(least);
    if (limit !== undefined) return keep({ kind: 'failed', error: capError(limit).data }, 0);

    const model = await this.connect();
    if (!model) throw divergedError(`request ${call}`, 'no language model', 'a question to one');
    await append(event);
    this.asked.set(call, event);
    const began = clock.now();
    const seconds = (): number => (clock.now() - began) / 1000;
    let reply: LlmReply;
    try {
      const idempotencyKey = `${this.run.record.id}-${call}`;
      const hasRoom = (spent: LlmUsage | undefined): boolean =>
        this.limitReached(addUsage(spent, least)!) === undefined;
      const question = { prompt, role, generation, idempotencyKey, hasRoom };
      const { text, usage, model: name } = await model.complete(question, signal);
      reply = { kind: 'text', text, usage, cost: costOf(usage, this.plan.llm), model: name };
    } catch (error) {
      if (!signal.aborted) reply = error instanceof LostReply ? { kind: 'lost' } : failed(error, this.plan.llm);
      else {
        await keep({ kind: 'lost' }, seconds());
        throw cancelledError('asking the language model');
      }
    }
    return keep(reply, seconds());
  }

  private connect(): Promise<LanguageModel | undefined> {
    const about = { root: this.run.root, timer: SYSTEM_CLOCK, answered: [...this.asked.values()] };
    this.model ??= connectLanguageModel(this.plan.llm, this.access, about);
    return this.model;
  }

  private count(reply: LlmReply, call: number): void {
    // What was lost may have been paid for up to its prompt at least.
    const usage = reply.kind === 'lost' ? estimateUsage(this.asked.get(call)?.prompt ?? '', '') : reply.usage;
    if (!usage) return;
    this.spent.tokens += usage.promptTokens + usage.replyTokens;
    this.spent.cost += reply.kind === 'lost' ? costOf(usage, this.plan.llm) : (reply.cost ?? 0);
  }

  /** The limit that would leave no token for a reply, were as much spent besides; undefined where there is none. */
  private limitReached(besides: LlmUsage): string | undefined {
    const { tokenCap, costCap } = this.plan.llm;
    const tokens = this.spent.tokens + besides.promptTokens + besides.replyTokens;
    const cost = this.spent.cost + costOf(besides, this.plan.llm);
    if (tokenCap > 0 && tokens >= tokenCap) return `the limit of ${tokenCap} tokens`;
    if (costCap > 0 && cost >= costCap) return `the limit of ${costCap} for what may be spent`;
    return undefined;
  }
}

/** In the currency of the prices. */
function costOf({ promptTokens, replyTokens }: LlmUsage, { promptPrice, replyPrice }: LlmSettings): number {
  return (promptTokens * promptPrice + replyTokens * replyPrice) / 1e6;
}

function failed(thrown: unknown, settings: LlmSettings): LlmReply {
  const error = toErrorData(thrown, 'asking the language model');
  const usage = thrown instanceof LanguageModelError ? thrown.usage : undefined;
  return { kind: 'failed', error, ...(usage && { usage, cost: costOf(usage, settings) }) };
}

function capError(limit: string): EspalierError {
  return new EspalierError({
    code: 'llm/cap',
    operation: 'asking the language model',
    expected: 'tokens and money left for a request',
    actual: `${limit} leaves no room for another request`,
    remedy:
      'Classical operators go on in its place; to allow more, raise tokenCap or costCap in the run.json and resume.',
  });
}
