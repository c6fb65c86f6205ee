import type { Clock } from '../../base/clock.ts';
import { throwIfCancelled, toErrorData } from '../../base/errors.ts';
import type { Generated, Served, ServedPlan } from '../../experiment/generationSchema.ts';
import type { Ask } from '../../protocol/requests.ts';
import type {
  AnswerState,
  Asked,
  Exchange,
  FromTry,
  ShownAnswer,
  ShownSubject,
  ToTry,
} from '../../view/tryMessages.ts';

/** A model that can be asked. */
export interface TriedModel {
  /** `dense`, `wanda at 50 %`. */
  readonly label: string;
  readonly plan: ServedPlan;
}

/** A dense model, and what was made of it. */
export interface TrySubject {
  /** As a person names the checkpoint. */
  readonly model: string;
  readonly dense: TriedModel;
  readonly pruned: TriedModel | undefined;
}

export interface TrySessionOptions {
  readonly open: Ask<'openServed'>;
  readonly close: Ask<'closeServed'>;
  readonly generate: Ask<'generate'>;
  readonly post: (message: ToTry) => void;
  readonly clock: Clock;
}

/** Prompts that are kept; answers can be long. */
const MOST_EXCHANGES = 100;

/**
 * One *Try it*: what was asked, who answers, and what they said. Models answer one after the other, so that each has the machine to
 * itself and their speeds can be compared. Knows nothing of windows.
 */
export class TrySession {
  private readonly options: TrySessionOptions;
  private subject: TrySubject;
  private exchanges: Exchange[] = [];
  private next = 1;
  /** Whose each label is: by model and label the {@link keyOf} of a plan. */
  private readonly labels = new Map<string, string>();
  /** By {@link keyOf}. */
  private readonly opened = new Map<string, Served>();
  private running: { readonly controller: AbortController; readonly ended: Promise<void> } | undefined;
  private disposed = false;

  constructor(options: TrySessionOptions, subject: TrySubject) {
    this.options = options;
    this.subject = this.toldApart(subject);
  }

  /** The last prompt and how it was to be answered. */
  get last(): Asked | undefined {
    return this.exchanges.at(-1)?.asked;
  }

  get shown(): TrySubject {
    return this.subject;
  }

  /** Another model answers from now on; what was asked stays. */
  show(subject: TrySubject): void {
    this.subject = this.toldApart(subject);
    this.postState();
  }

  receive(message: FromTry): void {
    switch (message.kind) {
      case 'ready':
        this.postState();
        break;
      case 'ask':
        void this.ask(message.asked);
        break;
      case 'stop':
        this.running?.controller.abort();
        break;
      case 'forget':
        this.exchanges = this.exchanges.filter(({ answers }) => answers.some(({ state }) => isGoingOn(state)));
        this.postState();
        break;
      case 'choose':
      case 'showLog':
        // The window's business.
        break;
    }
  }

  /** The worker has gone, and with it all that was open there: the next one counts from 1 again. */
  workerEnded(): void {
    this.opened.clear();
  }

  /** Asks those that are shown. What is being answered is stopped first; a prompt that some have answered already goes to the others. */
  async ask(asked: Asked): Promise<void> {
    const before = this.running;
    before?.controller.abort();
    const controller = new AbortController();
    const ended = (before?.ended ?? Promise.resolve()).then(() => this.run(asked, controller.signal));
    const running = { controller, ended };
    this.running = running;
    await ended;
    if (this.running !== running) return;
    this.running = undefined;
    this.postState();
  }

  /** Stops; resolves when nothing is asked of the worker any more. */
  async dispose(): Promise<void> {
    this.disposed = true;
    this.running?.controller.abort();
    await this.running?.ended;
  }

  /** The same metric and sparsity on another calibration are another model: `wanda at 50 % (2)`. */
  private toldApart(subject: TrySubject): TrySubject {
    const told = (tried: TriedModel): TriedModel => {
      const key = keyOf(tried.plan);
      for (let count = 1; ; count++) {
        const label = count === 1 ? tried.label : `${tried.label} (${count})`;
        const name = `${subject.model} ${label}`;
        const owner = this.labels.get(name) ?? key;
        this.labels.set(name, owner);
        if (owner === key) return { ...tried, label };
      }
    };
    return { ...subject, dense: told(subject.dense), pruned: subject.pruned && told(subject.pruned) };
  }

  private async run(asked: Asked, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { model, dense, pruned } = this.subject;
    const models = pruned ? [dense, pruned] : [dense];
    const labels = models.map(({ label }) => label);
    const id = this.exchangeFor(asked, model, labels);
    this.postState();
    await this.closeOthers(models);
    for (const tried of models) {
      const place = this.exchange(id).answers.findIndex(
        ({ of, state }) => of === tried.label && state.kind === 'waiting',
      );
      if (place < 0) continue;
      await this.answer(id, place, tried, signal);
    }
  }

  /** The exchange that the answers go to, with a place for each that is to come. */
  private exchangeFor(asked: Asked, model: string, labels: readonly string[]): number {
    const same = this.exchanges.find((one) => one.model === model && sameAsked(one.asked, asked));
    const isAnswered = (label: string): boolean =>
      same?.answers.some(({ of, state }) => of === label && state.kind === 'done') === true;
    const missing = labels.filter((label) => !isAnswered(label));
    if (same && missing.length > 0) {
      // One that was stopped, or failed, is asked again in its own place.
      const kept = same.answers.map((answer) => (missing.includes(answer.of) ? waiting(answer.of) : answer));
      const added = missing.filter((label) => !same.answers.some(({ of }) => of === label)).map(waiting);
      this.replace({ ...same, answers: [...kept, ...added] });
      return same.id;
    }
    const id = this.next++;
    this.exchanges = [...this.exchanges, { id, model, asked, answers: labels.map(waiting) }].slice(-MOST_EXCHANGES);
    return id;
  }

  private async answer(id: number, place: number, tried: TriedModel, signal: AbortSignal): Promise<void> {
    try {
      throwIfCancelled(signal, 'answering');
      const generated = await this.generate(id, place, tried, signal).catch((thrown: unknown) => {
        // Another device was asked for meanwhile, and took the place of all that was open: once more, from the beginning.
        if (toErrorData(thrown, '').code !== 'engine/invariant' || signal.aborted) throw thrown;
        this.opened.clear();
        return this.generate(id, place, tried, signal);
      });
      const [answer] = generated.answers;
      if (!answer) throw new RangeError('one prompt has one answer');
      const { prefill, decode } = generated;
      this.change(id, place, {
        state: { kind: 'done', end: answer.end },
        text: answer.text,
        tokens: answer.ids.length,
        perSecond: rate(decode.tokens, decode.seconds),
        prompt: { tokens: answer.promptTokens, seconds: prefill.seconds },
      });
    } catch (thrown) {
      const error = toErrorData(thrown, `asking ${tried.label}`);
      this.change(id, place, { state: signal.aborted ? { kind: 'stopped' } : { kind: 'failed', error } });
    }
  }

  private async generate(id: number, place: number, tried: TriedModel, signal: AbortSignal): Promise<Generated> {
    const { asked } = this.exchange(id);
    const { served } = await this.openedModel(tried, signal, (detail, share) => {
      this.change(id, place, { state: { kind: 'opening', detail, share } });
    });
    const { temperature, seed, stops, most, prompt } = asked;
    const sampling = temperature > 0 ? { temperature, seed } : {};
    const question = { served, prompts: [prompt], most, ...(stops.length > 0 && { stops }), ...sampling };
    this.change(id, place, { ...waiting(tried.label), state: { kind: 'answering' } });
    let first: number | undefined;
    return this.options.generate(question, {
      signal,
      onToken: ({ text }) => {
        const now = this.options.clock.now();
        first ??= now;
        this.grow(id, place, text, (now - first) / 1000);
      },
    });
  }

  private async openedModel(
    { label, plan }: TriedModel,
    signal: AbortSignal,
    tell: (detail: string, share: number | null) => void,
  ): Promise<Served> {
    const key = keyOf(plan);
    const known = this.opened.get(key);
    if (known) return known;
    tell(plan.evaluations.length > 0 ? `pruning and writing ${label} first` : 'reading the model', null);
    const served = await this.options.open(plan, {
      signal,
      onProgress: ({ detail, done, total }) => {
        tell(detail, total > 0 ? done / total : null);
      },
    });
    this.opened.set(key, served);
    return served;
  }

  /** Memory is for those that are asked. */
  private async closeOthers(models: readonly TriedModel[]): Promise<void> {
    const wanted = new Set(models.map(({ plan }) => keyOf(plan)));
    for (const [key, { served }] of this.opened) {
      if (wanted.has(key)) continue;
      this.opened.delete(key);
      // One that the worker has closed by itself is closed.
      await this.options.close({ served }).catch(() => undefined);
    }
  }

  private grow(id: number, place: number, text: string, seconds: number): void {
    const before = this.exchange(id).answers[place]!;
    const tokens = before.tokens + 1;
    const piece = { text, tokens, perSecond: rate(tokens - 1, seconds) };
    this.set(id, place, { ...before, ...piece, text: before.text + text });
    if (!this.disposed) this.options.post({ kind: 'piece', exchange: id, place, piece });
  }

  private change(id: number, place: number, changes: Partial<ShownAnswer>): void {
    const answer = { ...this.exchange(id).answers[place]!, ...changes };
    this.set(id, place, answer);
    if (!this.disposed) this.options.post({ kind: 'answer', exchange: id, place, answer });
  }

  private set(id: number, place: number, answer: ShownAnswer): void {
    const exchange = this.exchange(id);
    this.replace({ ...exchange, answers: exchange.answers.map((one, i) => (i === place ? answer : one)) });
  }

  private exchange(id: number): Exchange {
    return this.exchanges.find((one) => one.id === id)!;
  }

  private replace(exchange: Exchange): void {
    this.exchanges = this.exchanges.map((one) => (one.id === exchange.id ? exchange : one));
  }

  private postState(): void {
    if (this.disposed) return;
    const { exchanges, subject, running } = this;
    const shown: ShownSubject = { model: subject.model, pruned: subject.pruned?.label ?? null };
    this.options.post({ kind: 'state', state: { subject: shown, exchanges, isBusy: running !== undefined } });
  }
}

function waiting(of: string): ShownAnswer {
  return { of, state: { kind: 'waiting' }, text: '', tokens: 0, perSecond: null, prompt: null };
}

function isGoingOn({ kind }: AnswerState): boolean {
  return kind === 'waiting' || kind === 'opening' || kind === 'answering';
}

function rate(tokens: number, seconds: number): number | null {
  return tokens > 0 && seconds > 0 ? tokens / seconds : null;
}

function sameAsked(a: Asked, b: Asked): boolean {
  // The order of the fields is the schema's.
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Equal for plans that the same model is made of. */
function keyOf(plan: ServedPlan): string {
  return JSON.stringify({ ...plan, text: undefined });
}
