import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import { Rng } from '../../base/rng.ts';
import type { Generated, GeneratedToken, Generating } from '../../experiment/generationSchema.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../families/families.ts';
import { modelLength } from '../forward/modelLength.ts';
import type { Step } from '../forward/step.ts';
import { rotationClass } from '../models/rope.ts';
import { availableMemory } from '../runtime/memory.ts';
import { TextStream } from '../tokenizer/textStream.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { CachedForward, type CachedModel } from './cachedForward.ts';
import { chooseToken, logProbabilities } from './chooseToken.ts';
import { cacheBytes } from './keyValueCache.ts';
import { StopTexts } from './stopTexts.ts';

/** A model that goes on from prompts. */
export interface GeneratingModel extends CachedModel {
  readonly checkpoint: CachedModel['checkpoint'] & Pick<Checkpoint, 'values'>;
  readonly tokenizer: Tokenizer;
  /** Ids that end a text. */
  readonly ends: ReadonlySet<number>;
}

export interface GenerateHooks {
  readonly signal?: AbortSignal | undefined;
  /** Called with each token as it is chosen. */
  readonly onToken?: ((token: GeneratedToken) => void) | undefined;
  /** Waited for after each {@link STRETCH} tokens of the answers, and after the prompts: whoever shares the model may be answered meanwhile. */
  readonly pause?: (() => Promise<void>) | undefined;
}

type Answer = Generated['answers'][number];
/** A prompt as tokens, and what is asked of it. */
export type AskedIds = Omit<Generating, 'served' | 'prompts'> & { readonly prompts: readonly Int32Array[] };

/** Sequences that are generated together at most. */
export const MOST_TOGETHER = 16;
/** Tokens of each answer that are written without a pause. */
const STRETCH = 8;
/** Share of the available memory that keys and values may take. */
export const CACHE_SHARE = 0.25;

/**
 * Goes on from prompts, by the likeliest token or by drawing. Several prompts go through the network together, as many as their keys and values
 * have room for; each comes out as it would alone, but for the last bits.
 *
 * @throws EspalierError `settings/invalid` for a prompt without tokens or longer than the model, `evaluation/too-large` where the keys and values
 * of one sequence have no room, `evaluation/not-finite`, `cancelled`
 */
export async function generate(model: GeneratingModel, asked: AskedIds, hooks: GenerateHooks = {}): Promise<Generated> {
  const { config } = model.checkpoint;
  const longest = modelLength(config);
  for (const [index, ids] of asked.prompts.entries()) checkPrompt(ids, index, longest, config);
  const clock = { prefill: { tokens: 0, seconds: 0 }, decode: { tokens: 0, seconds: 0 } };
  const answers: Answer[] = [];
  let most = 0;
  for (const group of groupsOf(model, asked)) {
    const bytes = bytesOf(model, group.length, lengthOf(model, asked, group[0]!));
    pledged += bytes;
    const forward = new CachedForward(model, group.length);
    try {
      const writers = group.map((index) => new Writer(model, asked, index, longest, hooks.onToken));
      const step: Step = async () => {
        await new Promise(setImmediate);
        throwIfCancelled(hooks.signal, 'generating');
      };
      await step('');
      await write(forward, writers, clock, step, hooks.pause);
      for (const [place, index] of group.entries()) answers[index] = writers[place]!.answer;
      most = Math.max(most, bytesOf(model, group.length, Math.max(...forward.lengths)));
    } finally {
      forward.dispose();
      pledged -= bytes;
    }
  }
  return { answers, ...clock, cacheBytes: most };
}

/** Bytes that the keys and values of all answers that are begun may come to: one that pauses has not taken all of them yet. */
let pledged = 0;

type Clock = Readonly<Record<'prefill' | 'decode', { tokens: number; seconds: number }>>;

async function write(
  forward: CachedForward,
  writers: readonly Writer[],
  clock: Clock,
  step: Step,
  pause: GenerateHooks['pause'],
): Promise<void> {
  const feed = async (fed: readonly (Int32Array | undefined)[], part: keyof Clock): Promise<void> => {
    const begin = performance.now();
    const logits = await forward.feed(fed, step);
    for (const [row, writer] of writers.entries()) if (logits[row]) writer.take(logits[row]);
    clock[part].seconds += (performance.now() - begin) / 1000;
    clock[part].tokens += fed.reduce((sum, ids) => sum + (ids?.length ?? 0), 0);
  };
  await feed(
    writers.map(({ prompt }) => prompt),
    'prefill',
  );
  for (let token = 0; writers.some((writer) => !writer.isDone); token++) {
    if (token % STRETCH === 0) await pause?.();
    const next = writers.map((writer, row) => {
      if (writer.isDone) return undefined;
      if (!writer.turnsOtherwise) return writer.ids.subarray(-1);
      // Keys were turned by angles that are not those of a text so long: they are made anew.
      forward.cut(row, 0);
      return writer.ids;
    });
    await feed(next, 'decode');
  }
}

/** What becomes of one prompt. */
class Writer {
  readonly prompt: Int32Array;
  private readonly model: GeneratingModel;
  private readonly asked: AskedIds;
  private readonly index: number;
  private readonly longest: number;
  private readonly onToken: GenerateHooks['onToken'];
  private readonly stream: TextStream;
  private readonly stops: StopTexts;
  private readonly rng: Rng;
  private readonly written: number[] = [];
  private readonly tokens: NonNullable<Answer['tokens']>[number][] = [];
  private text = '';
  private end: Answer['end'] | undefined;

  constructor(
    model: GeneratingModel,
    asked: AskedIds,
    index: number,
    longest: number,
    onToken: GenerateHooks['onToken'],
  ) {
    this.model = model;
    this.asked = asked;
    this.index = index;
    this.longest = longest;
    this.onToken = onToken;
    this.prompt = asked.prompts[index]!;
    this.stream = new TextStream(model.tokenizer, this.prompt);
    this.stops = new StopTexts(asked.stops ?? []);
    this.rng = new Rng((asked.seed ?? 0) + index);
  }

  get isDone(): boolean {
    return this.end !== undefined;
  }

  /** The prompt and what follows. */
  get ids(): Int32Array {
    return Int32Array.from([...this.prompt, ...this.written]);
  }

  /** Whether a rotation that depends on the length is another with the last token than before it. */
  get turnsOtherwise(): boolean {
    const { config } = this.model.checkpoint;
    const length = this.prompt.length + this.written.length;
    return rotationClass(config, length - 1) !== rotationClass(config, length);
  }

  get answer(): Answer {
    return {
      text: this.text,
      ids: this.written,
      end: this.end ?? 'most',
      promptTokens: this.prompt.length,
      ...(this.asked.alternatives !== undefined && { tokens: this.tokens }),
    };
  }

  /** Chooses the token that follows. */
  take(logits: Float32Array): void {
    const { temperature = 0, topP = 1, most, alternatives } = this.asked;
    const id = chooseToken(logits, { temperature, topP }, this.rng);
    this.written.push(id);
    const ends = this.model.ends.has(id);
    let text = ends ? '' : this.stops.push(this.stream.push(id));
    if (ends) this.end = 'end';
    else if (this.stops.stopped) this.end = 'stop';
    else if (this.written.length >= most) this.end = 'most';
    else if (this.prompt.length + this.written.length >= this.longest) this.end = 'length';
    if (this.isDone) text += this.rest();
    this.text += text;
    const told = alternatives === undefined ? undefined : logProbabilities(logits, id, alternatives);
    if (told) this.tokens.push(told);
    this.onToken?.({ prompt: this.index, id, text, ...told });
  }

  /** What was held back of the text; a stop may become whole by it. */
  private rest(): string {
    const rest = this.stops.push(this.stream.end());
    if (this.stops.stopped) this.end = 'stop';
    return rest + this.stops.end();
  }
}

/** Prompts that are worked off together: of like length, since the cache has room for the longest of them. */
function groupsOf(model: GeneratingModel, asked: AskedIds): number[][] {
  const { config } = model.checkpoint;
  const room = CACHE_SHARE * Math.max(0, availableMemory() - pledged);
  const isAlone = model.device.resident || rotationClass(config, 1) !== rotationClass(config, modelLength(config));
  const groups: number[][] = [];
  for (const index of [...asked.prompts.keys()].sort(
    (a, b) => lengthOf(model, asked, b) - lengthOf(model, asked, a) || a - b,
  )) {
    const group = groups.at(-1);
    const fits = (count: number): boolean => bytesOf(model, count, lengthOf(model, asked, group?.[0] ?? index)) <= room;
    if (group && !isAlone && group.length < MOST_TOGETHER && fits(group.length + 1)) {
      group.push(index);
      continue;
    }
    if (!fits(1) && groups.length === 0) {
      const tokens = lengthOf(model, asked, index);
      throw tooLarge(bytesOf(model, 1, tokens), tokens, room);
    }
    groups.push([index]);
  }
  return groups;
}

/** Tokens that a prompt and its answer may come to. */
function lengthOf({ checkpoint: { config } }: GeneratingModel, { prompts, most }: AskedIds, index: number): number {
  return Math.min(prompts[index]!.length + most, modelLength(config));
}

function bytesOf({ weights, checkpoint, device }: CachedModel, batch: number, tokens: number): number {
  return cacheBytes(weights.layouts, checkpoint.config.headDim, { batch, tokens, type: device.weightType });
}

function checkPrompt(ids: Int32Array, index: number, longest: number, { vocabulary }: ModelConfig): void {
  const fault = (expected: string, actual: string, remedy: string): EspalierError =>
    new EspalierError({
      code: 'settings/invalid',
      operation: `reading prompt ${index + 1}`,
      expected,
      actual,
      remedy,
    });
  if (ids.length === 0) {
    throw fault('a prompt with a token', 'none', 'Write something, or begin with the token that begins texts.');
  }
  if (ids.length >= longest) {
    throw fault(
      `at most ${longest - 1} tokens, so that the model has a place left`,
      `${ids.length}`,
      'Shorten the prompt.',
    );
  }
  for (const id of ids) {
    if (id >= vocabulary) throw fault(`token ids below ${vocabulary}`, `${id}`, 'Use ids of this model’s tokenizer.');
  }
}

function tooLarge(bytes: number, tokens: number, room: number): EspalierError {
  const gigabytes = (value: number): string => `${(value / 1e9).toPrecision(3)} GB`;
  return new EspalierError({
    code: 'evaluation/too-large',
    operation: 'generating',
    expected: `keys and values of one sequence in ${gigabytes(room)}, a quarter of the free memory`,
    actual: `${gigabytes(bytes)} for ${tokens} tokens`,
    remedy: 'Ask for fewer tokens, shorten the prompt, or free some memory.',
  });
}
