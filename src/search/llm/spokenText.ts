/**
 * What a reply says without what its model thought aloud before it said it: `<think>…</think>`, `<reasoning>`, `[THINK]`, `<|…thought|>`,
 * channels of gpt-oss, and whatever else names thought in a tag.
 *
 * - A thought that is not closed lasts to the end of the reply.
 * - One that is closed and was never opened began with the reply: templates open it in the prompt.
 * - Where a reply marks its answer (`<answer>…</answer>`), nothing else counts. That an answer stands in a thought that is not closed is
 *   believed only where both ends of it are marked.
 *
 * @param holdsAnswer whether what is marked can be the answer: tags also stand around nothing
 */
export function spokenText(reply: string, holdsAnswer: (marked: string) => boolean): string {
  const text = reply
    .replace(/^thinking\.\.\.$/gim, '<think>')
    .replace(/^\.\.\.done thinking\.?$/gim, '</think>')
    .replace(/<\|channel\|>\s{0,9}(\w{1,20})[^<\n]{0,80}<\|message\|>/gi, (_, channel: string) =>
      channel.toLowerCase() === 'final' ? BEGINS : '<think>',
    );
  let said: string[] = [];
  let answers: string[] = [];
  /** Answers that were marked in the thought that is being read: drafts, once it is closed. */
  let drafts: string[] = [];
  let answer: { readonly outerDepth: number; readonly parts: string[] } | undefined;
  let depth = 0;
  let from = 0;
  const take = (to: number): void => {
    if (depth === 0) (answer?.parts ?? said).push(text.slice(from, to));
  };
  const MARKED: Readonly<Record<Mark, () => void>> = {
    think: () => depth++,
    thought: () => {
      if (depth === 0 && answer && answer.outerDepth > 0) [depth, answer] = [answer.outerDepth, undefined];
      if (depth === 0) MARKED.begins();
      else if (--depth === 0) drafts = [];
    },
    answer: () => {
      answer ??= { outerDepth: depth, parts: [] };
      depth = 0;
    },
    answered: () => {
      if (!answer) return;
      depth = answer.outerDepth;
      (depth > 0 ? drafts : answers).push(...answer.parts);
      answer = undefined;
    },
    begins: () => {
      [said, answers, drafts, answer, depth] = [[], [], [], undefined, 0];
    },
  };
  for (const { index, 0: whole, 1: slash = '', 2: inner = '' } of text.matchAll(TAG)) {
    const mark = markOf(whole[0]!, slash, inner);
    if (mark === undefined) continue;
    take(index);
    from = index + whole.length;
    MARKED[mark]();
  }
  take(text.length);
  // One that is cut off counts, unless it is in a thought.
  const cut = answer?.outerDepth === 0 ? answer.parts : [];
  const marked = [...answers, ...(depth > 0 ? drafts : []), ...cut].join('\n');
  return holdsAnswer(marked) ? marked : said.join('\n');
}

const BEGINS = '<answer-begins>';
const TAG = /(?:[<◁[]|&lt;)(\/?)([^<>[\]◁▷&\n]{1,80})(?:[>▷\]]|&gt;)/g;

type Mark = 'think' | 'thought' | 'answer' | 'answered' | 'begins';

/** What a tag marks: the beginning or the end of a thought or of an answer. */
function markOf(opening: string, slash: string, inner: string): Mark | undefined {
  const found = TAG_NAME.exec(inner);
  if (!found) return undefined;
  const [, edge = '', name = ''] = found;
  const word = name.toLowerCase();
  const isEnd = slash === '/' || /^end/i.test(edge);
  if (opening === '[' && !/^(?:think|thinking|thought|thoughts|reasoning)$/.test(word)) return undefined;
  if (word === 'answer-begins') return 'begins';
  if (ANSWER.test(word)) return isEnd ? 'answered' : 'answer';
  if (THOUGHT.test(word)) return isEnd ? 'thought' : 'think';
  return undefined;
}

const TAG_NAME = /^\|?\s?((?:begin|start|end)_(?:of_)?)?([a-z][\w:.-]{0,40})\s?\|?(?:\s[a-z-]{1,30}\s?=.*)?$/i;
const ANSWER = /^(?:final[_-]?)?(?:answers?|outputs?|results?|solutions?|response)$|^final$/;
const THOUGHT =
  /think|thought|reason|reflect|scratch|analy[sz]|draft|monolog|rational|deliberat|brainstorm|ponder|^cot$|chain.?of|^plan(?:ning)?$|working|^notes?$|critique|consider|contempl|musing|internal|expla[in]|justif|comment|unused94/;
