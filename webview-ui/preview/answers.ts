import type { RunEvent } from '../../src/search/kinds.ts';
import type { ResultName, ToPanel } from '../../src/view/panelMessages.ts';
import type { Timed } from '../../test/support/syntheticStructure.ts';

/** What the extension would answer, made up. */
export function answerSpeed(of: ResultName, send: (message: ToPanel) => void): void {
  const dense = {
    name: 'dense',
    parameters: 6_450_000,
    bytes: 25_800_000,
    memory: 61_000_000,
    tokensPerSecond: 4210,
    speedUp: 1,
    decodePerSecond: 310,
    decodeSpeedUp: 1,
  };
  const pruned = {
    name: 'pruned',
    parameters: 5_080_000,
    bytes: 20_320_000,
    memory: 52_000_000,
    tokensPerSecond: 5630,
    speedUp: 1.34,
    decodePerSecond: 396,
    decodeSpeedUp: 1.28,
  };
  send({
    kind: 'speed',
    speed: {
      of,
      state: 'done',
      share: 1,
      detail: 'Medians of 5 passes of 8 × 256 tokens, cpu, 2 threads.',
      rows: [dense, pruned],
    },
  });
}

export function answerExchange(
  call: number,
  events: readonly Timed<RunEvent>[],
  send: (message: ToPanel) => void,
): void {
  let prompt = '';
  let reply = '';
  for (const { event } of events) {
    if (event.kind === 'llm-asked' && event.call === call) ({ prompt } = event);
    if (event.kind === 'llm-replied' && event.call === call)
      reply = event.reply.kind === 'text' ? event.reply.text : event.reply.kind;
  }
  send({ kind: 'exchange', exchange: { call, prompt, reply, model: 'qwen2.5-coder:14b' } });
}
