import { EspalierError } from '../../base/errors.ts';
import type { ErrorData } from '../../base/errors.ts';
import { journalOf } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import type { Exchange } from '../../view/panelMessages.ts';
import type { DeskParts } from './panelParts.ts';

/** Tells a page what a language model was asked in one request of a run, and what it replied. */
export function tellExchange(
  call: number,
  { attempt, post, run }: Pick<DeskParts<RunFolder['record']['plan']>, 'attempt' | 'post' | 'run'>,
): void {
  attempt('The request could not be read', async () => {
    post({ kind: 'exchange', exchange: await exchangeOf(run, call) });
  });
}

/** @throws EspalierError where the journal has no such request */
async function exchangeOf(run: RunFolder, call: number): Promise<Exchange> {
  let prompt: string | undefined;
  let answer: Pick<Exchange, 'reply' | 'model'> = { reply: 'No reply yet.' };
  for await (const records of journalOf(run).more())
    for (const { event } of records) {
      if (event.kind === 'llm-asked' && event.call === call) ({ prompt } = event);
      if (event.kind !== 'llm-replied' || event.call !== call) continue;
      const { reply } = event;
      answer =
        reply.kind === 'text'
          ? { reply: reply.text, model: reply.model }
          : { reply: reply.kind === 'failed' ? failureWords(reply.error) : 'Lost: the process ended while it waited.' };
    }
  if (prompt !== undefined) return { call, prompt, ...answer };
  throw new EspalierError({
    code: 'settings/invalid',
    operation: `reading request ${call} of the run ${run.record.id}`,
    expected: 'a request of its journal',
    actual: 'none of that number',
    remedy: 'Open the run again.',
  });
}

function failureWords({ operation, expected, actual, remedy }: ErrorData): string {
  return `${operation}: expected ${expected}, got ${actual}. ${remedy}`;
}
