import { Rng } from '../../../../src/base/rng.ts';
import type { LlmReply } from '../../../../src/search/llm/events.ts';
import type { LlmRequest } from '../../../../src/search/llm/request.ts';

/**
 * A language model as one meets them: it varies what it is shown, forgets a block, cannot add, writes percents, repeats itself, talks,
 * and is cut off. It knows nothing but the prompt; equal requests have equal replies.
 */
export function imperfectModel(request: LlmRequest, blocks: number, mean: number, faults = 0.5): LlmReply | string {
  const rng = new Rng(1000 + request.call);
  const shown = [...request.prompt.matchAll(/^\[([^\]]*)\] \d/gm)].map(([, list]) => list!.split(',').map(Number));
  const lists = Array.from({ length: request.wanted }, () => {
    const of = (): readonly number[] =>
      shown[rng.integer(Math.min(5, shown.length))] ?? Array<number>(blocks).fill(mean);
    const [first, second] = [of(), of()];
    const values = first.map((rate, i) => (rng.uniform() < 0.5 ? rate : second[i]!) + 0.08 * rng.normal());
    const off = values.reduce((sum, value) => sum + value, 0) / blocks - mean;
    const balanced = values.map((value) => value - off);
    return rng.uniform() < faults ? spoilt(balanced, rng) : written(balanced);
  });
  const text = rng.uniform() < faults ? `Here you are:\n\`\`\`\n${lists.join('\n')}\n\`\`\`` : lists.join('\n');
  return rng.uniform() < faults / 4 ? text.slice(0, Math.floor(text.length * rng.uniform())) : text;
}

function written(values: readonly number[]): string {
  return `[${values.map((value) => value.toFixed(5)).join(', ')}]`;
}

function spoilt(values: readonly number[], rng: Rng): string {
  switch (rng.integer(6)) {
    case 0:
      return written(values.slice(1));
    case 1:
      return written(values.map((value) => value + 0.03));
    case 2:
      return `[${values.map((value) => `${(100 * value).toFixed(1)}%`).join(', ')}]`;
    case 3:
      return `${written(values)}\n${written(values)}`;
    case 4:
      return `[${values.map(String).join(', ')}]`;
    default:
      return written(values.map((value) => value + 0.5));
  }
}
