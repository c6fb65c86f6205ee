import { EspalierError } from '../../base/errors.ts';
import type { LlmSettings } from './settings.ts';

/**
 * A limit on money that never takes effect would be found out when the bill comes.
 *
 * @param plan of a search that asks a language model
 * @throws EspalierError `settings/invalid`
 */
export function checkCap({ name, llm }: { readonly name: string; readonly llm: LlmSettings }): void {
  if (llm.costCap === 0 || llm.promptPrice > 0 || llm.replyPrice > 0) return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: `searching (${name})`,
    expected: 'prices, for a limit on what may be spent',
    actual: `costCap ${llm.costCap}, and neither promptPrice nor replyPrice`,
    remedy: 'Say what a million tokens of prompts and of replies cost, or limit tokens with tokenCap.',
  });
}
