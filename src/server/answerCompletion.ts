import { codePoints } from '../base/pythonText.ts';
import { ChoiceText, echoOf } from './choiceText.ts';
import type { ChoicePart } from './choiceText.ts';
import type { CompletionRequest } from './readCompletion.ts';
import type { Served, TokenScore } from './served.ts';
import type { Turns } from './turns.ts';

/** Tokens, as OpenAI counts them. */
export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** Tokens that are fed, and choices that go on together, before others have their turn. */
const FED = 8192;
const TOGETHER = 8;

/**
 * Answers a request, part by part. Of several prompts and choices some are worked on together; then others have their turn.
 *
 * @param onPart called with what is new of a choice: each ends with a part that says why
 * @throws EspalierError what the model fails with, `cancelled`
 */
export async function answerCompletion(
  request: CompletionRequest,
  served: Served,
  turns: Pick<Turns, 'turn' | 'turns'>,
  onPart: (choice: number, part: ChoicePart) => void,
  signal: AbortSignal,
): Promise<Usage> {
  const { prompts, n, most, echo, logprobs } = request;
  const isScored = echo && logprobs !== undefined;
  // The most probable next token comes along with what is scored: one pass instead of two, which is all that a harness asks for.
  const isNextScored = most === 1 && request.sampling.temperature === 0;
  let generated = 0;
  for (const group of groupsOf(request)) {
    const scores =
      isScored || isNextScored
        ? await turns.turn(() => scoresOf(request, group, served, { isScored, isNextScored }, signal), signal)
        : undefined;
    const choices = group.flatMap((prompt) => Array.from({ length: n }, (_, k) => ({ prompt, index: prompt * n + k })));
    const texts = choices.map(({ prompt, index }) => {
      const asked = prompts[prompt]!;
      if (!echo) return new ChoiceText(served, asked, request.stops, 0);
      const { text, tokens } = echoOf(asked, isScored ? scores!.get(prompt)!.given : undefined, served);
      onPart(index, { text, tokens, finish: null });
      return new ChoiceText(served, asked, request.stops, codePoints(text));
    });
    const push = (place: number, token: TokenScore): void => {
      const part = texts[place]!.push(token);
      if (part) onPart(choices[place]!.index, part);
    };
    if (isNextScored) for (const [place, { prompt }] of choices.entries()) push(place, scores!.get(prompt)!.next!);
    else if (most > 0) await generateAll(request, choices, served, turns, push, signal);
    for (const [place, { index }] of choices.entries()) {
      onPart(index, texts[place]!.end());
      generated += texts[place]!.count;
    }
  }
  const fed = prompts.reduce((sum, { ids }) => sum + ids.length, 0);
  return { prompt_tokens: fed, completion_tokens: generated, total_tokens: fed + generated };
}

/** Prompts that are worked on together, by their indices. */
function groupsOf({ prompts }: CompletionRequest): readonly (readonly number[])[] {
  const groups: number[][] = [];
  let fed = Infinity;
  for (const [index, { ids }] of prompts.entries()) {
    if (fed + ids.length > FED) {
      groups.push([]);
      fed = 0;
    }
    groups.at(-1)!.push(index);
    fed += ids.length;
  }
  return groups;
}

interface PromptScores {
  /** Of each token but the first, where they are asked for. */
  readonly given: readonly TokenScore[];
  /** Of the most probable token after it, where it is asked for. */
  readonly next: TokenScore | undefined;
}

async function scoresOf(
  { prompts, logprobs = 0 }: CompletionRequest,
  group: readonly number[],
  served: Served,
  { isScored, isNextScored }: { readonly isScored: boolean; readonly isNextScored: boolean },
  signal: AbortSignal,
): Promise<ReadonlyMap<number, PromptScores>> {
  const sequences = group.map((index) => {
    const { ids } = prompts[index]!;
    // A token in the place of the next one: what is most probable there is told beside it, whatever it is.
    const asked = isNextScored ? Int32Array.from([...ids, 0]) : ids;
    return { ids: asked, from: isScored ? 1 : ids.length };
  });
  const scored = await served.score(sequences, Math.max(1, logprobs), signal);
  return new Map(
    group.map((index, place) => {
      const all = scored[place]!.map((score) => ({ ...score, top: score.top.slice(0, logprobs) }));
      const first = scored[place]!.at(-1)?.top[0];
      const next = isNextScored ? { ...first!, top: all.at(-1)!.top } : undefined;
      return [index, { given: isNextScored ? all.slice(0, -1) : all, next }];
    }),
  );
}

async function generateAll(
  { prompts, most, stops, sampling, logprobs = 0 }: CompletionRequest,
  choices: readonly { readonly prompt: number; readonly index: number }[],
  served: Served,
  turns: Pick<Turns, 'turn' | 'turns'>,
  push: (place: number, token: TokenScore) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let first = 0; first < choices.length; first += TOGETHER) {
    const some = choices.slice(first, first + TOGETHER);
    const asked = {
      prompts: some.map(({ prompt }) => prompts[prompt]!.ids),
      most,
      stops,
      // Choices that are drawn in another turn are drawn otherwise.
      sampling: { ...sampling, seed: sampling.seed + first },
      top: logprobs,
    };
    const onToken = (place: number, token: TokenScore): void => {
      push(first + place, token);
    };
    await turns.turns((pause) => served.generate(asked, onToken, signal, pause), signal);
  }
}
