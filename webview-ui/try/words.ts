import { formatRate, formatSeconds } from '../../src/experiment/format.ts';
import type { AnswerEnd, Asked, ShownAnswer } from '../../src/view/tryMessages.ts';

/** The sentences of *Try it*. */

/** Stop texts as they are typed: one a line, with `\n` and `\t` for what cannot be typed into one, `\\` for a backslash. */
export function parseStops(typed: string): readonly string[] {
  const lines = typed.split('\n').filter((line) => line !== '');
  return [...new Set(lines.map((line) => line.replace(/\\([nt\\])/g, (_, sign: string) => SIGNS[sign] ?? sign)))];
}

/** What {@link parseStops} reads back. */
export function printStops(stops: readonly string[]): string {
  const print = (stop: string): string =>
    stop.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '');
  return stops.map(print).join('\n');
}

const SIGNS: Readonly<Record<string, string>> = { n: '\n', t: '\t' };

/** `64 tokens at most · the likeliest token each time · until “\n\n”` */
export function askedWords({ most, temperature, seed, stops }: Asked): string {
  const drawing = temperature === 0 ? 'the likeliest token each time' : `temperature ${temperature}, seed ${seed}`;
  const until = stops.map((stop) => `“${printStops([stop])}”`).join(' or ');
  return [`${count(most, 'token')} at most`, drawing, ...(until === '' ? [] : [`until ${until}`])].join(' · ');
}

const ENDS: Readonly<Record<AnswerEnd, string>> = {
  stop: 'up to a stop text',
  end: 'up to the token that ends a text',
  most: 'as many as asked for',
  length: 'up to the longest text that the model takes',
};

/** `18.4 tokens/s`; of a pruned model also against the dense one. */
export function speedWords({ perSecond, state }: ShownAnswer, dense: ShownAnswer | undefined): string {
  if (perSecond === null) return '';
  const own = `${formatRate(perSecond)} tokens/s`;
  const reference = state.kind === 'done' && dense?.state.kind === 'done' ? dense.perSecond : null;
  return reference === null ? own : `${own}, ×${(perSecond / reference).toFixed(2)} of dense`;
}

/** What became of an answer, in one line. */
export function stateWords({ state, tokens, prompt }: ShownAnswer): string {
  switch (state.kind) {
    case 'waiting':
      return 'waiting for the answer before it …';
    case 'opening':
      return state.share === null ? `${state.detail} …` : `${state.detail} · ${Math.floor(100 * state.share)} %`;
    case 'answering':
      return tokens === 0 ? 'reading the prompt …' : `${count(tokens, 'token')} …`;
    case 'done': {
      const read = prompt
        ? ` · prompt of ${count(prompt.tokens, 'token')} read in ${formatSeconds(prompt.seconds)}`
        : '';
      return `${count(tokens, 'token')}, ${ENDS[state.end]}${read}`;
    }
    case 'stopped':
      return tokens === 0 ? 'stopped before the first token' : `stopped after ${count(tokens, 'token')}`;
    case 'failed':
      return '';
  }
}

/** How far a pruned answer is the dense one; empty where there is nothing to compare yet. */
export function samenessWords(answer: ShownAnswer, dense: ShownAnswer): string {
  if (answer.text === '' || dense.text === '') return '';
  const same = commonLength(answer.text, dense.text);
  const isAll = same === answer.text.length;
  if (isAll && same === dense.text.length) return bothDone(answer, dense) ? 'word for word as dense' : '';
  // One that only goes on longer, or not yet as far, is no other answer.
  if (isAll || same === dense.text.length) return '';
  const words = answer.text
    .slice(0, same)
    .split(/\s+/u)
    .filter((word) => word !== '').length;
  if (words === 0) return 'differs from dense at once';
  return words === 1 ? 'as dense for the first word' : `as dense for the first ${words} words`;
}

/** UTF-16 units that two texts have in common at their beginning, in whole words where they part inside one. */
export function commonLength(a: string, b: string): number {
  let same = 0;
  while (same < a.length && same < b.length && a.charCodeAt(same) === b.charCodeAt(same)) same++;
  const isInWord = same < a.length && same < b.length;
  if (!isInWord) return same;
  return same - /\S*$/u.exec(a.slice(0, same))![0].length;
}

function bothDone(a: ShownAnswer, b: ShownAnswer): boolean {
  return a.state.kind === 'done' && b.state.kind === 'done';
}

/** For a screen reader, when something has come to a state; empty where that is no news. */
export function spokenAnswer(answer: ShownAnswer): string {
  const { of, state } = answer;
  if (state.kind === 'waiting' || state.kind === 'opening') return '';
  if (state.kind === 'answering') return `${of} answers`;
  if (state.kind === 'failed') return `${of} failed: ${state.error.actual}`;
  return `${of}: ${stateWords(answer)}. ${answer.text}`;
}

export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}
