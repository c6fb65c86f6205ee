import type { TokenSettings } from '../checkpoint/tokenSettings.ts';
import { shown, tokenizerError } from './tokenizerError.ts';
import type { PostProcessorSpec } from './postProcessorSpec.ts';

/** Ids that are put before and after the ids of a text: `<s>` of LLaMA, `</s>` of OPT. */
export interface SpecialTokens {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** What the post-processor of tokenizer.json adds to a single text. @throws EspalierError `checkpoint/tokenizer` */
export function readSpecialTokens(spec: PostProcessorSpec | null | undefined, file: string): SpecialTokens {
  if (!spec) return NOTHING;
  switch (spec.type) {
    case 'ByteLevel':
      return NOTHING;
    case 'TemplateProcessing':
      return readTemplate(spec, file);
    case 'RobertaProcessing':
    case 'BertProcessing':
      return { before: [spec.cls[1]], after: [spec.sep[1]] };
    case 'Sequence':
      // Each one wraps what those before it have made.
      return spec.processors
        .map((processor) => readSpecialTokens(processor, file))
        .reduce(
          ({ before, after }, outer) => ({
            before: [...outer.before, ...before],
            after: [...after, ...outer.after],
          }),
          NOTHING,
        );
  }
}

const NOTHING: SpecialTokens = { before: [], after: [] };

function readTemplate(spec: Extract<PostProcessorSpec, { type: 'TemplateProcessing' }>, file: string): SpecialTokens {
  const before: number[] = [];
  const after: number[] = [];
  let texts = 0;
  for (const piece of spec.single) {
    if ('Sequence' in piece) {
      texts += piece.Sequence.id === 'A' ? 1 : 2;
      continue;
    }
    const name = piece.SpecialToken.id;
    const special = Object.hasOwn(spec.special_tokens, name) ? spec.special_tokens[name] : undefined;
    if (!special) throw tokenizerError(file, `${shown(name)} in special_tokens of the post_processor`, 'no such token');
    (texts === 0 ? before : after).push(...special.ids);
  }
  if (texts !== 1) throw tokenizerError(file, 'a template with the text (A) in it once', `it ${texts} times`);
  return { before, after };
}

/**
 * transformers lets tokenizer_config.json overrule the post-processor with `add_bos_token` and `add_eos_token`. What it does
 * not state stays as it is.
 */
export function applyTokenizerConfig(
  tokens: SpecialTokens,
  settings: TokenSettings,
  idOf: (token: string) => number | undefined,
  file: string,
): SpecialTokens {
  const overruled = (
    flag: 'add_bos_token' | 'add_eos_token',
    name: 'bos_token' | 'eos_token',
    otherwise: readonly number[],
  ): readonly number[] => {
    const wanted = settings[flag];
    if (wanted === undefined) return otherwise;
    if (typeof wanted !== 'boolean')
      throw tokenizerError(file, `${flag} to be true or false`, JSON.stringify(wanted), RESTORE);
    const content = settings[name];
    // Without such a token transformers adds none.
    if (!wanted || typeof content !== 'string') return [];
    const id = idOf(content);
    if (id === undefined)
      throw tokenizerError(file, `the ${name} ${content} in tokenizer.json`, 'no such token', RESTORE);
    return [id];
  };
  return {
    before: overruled('add_bos_token', 'bos_token', tokens.before),
    after: overruled('add_eos_token', 'eos_token', tokens.after),
  };
}

const RESTORE = 'Restore the tokenizer_config.json of the checkpoint.';
