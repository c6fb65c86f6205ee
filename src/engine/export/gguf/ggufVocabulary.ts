import path from 'node:path';
import type { Checkpoint } from '../../checkpoint/checkpoint.ts';
import { readBounded } from '../../checkpoint/jsonFile.ts';
import { loadTokenizer } from '../../tokenizer/tokenizer.ts';
import { parseTokenizerSpec } from '../../tokenizer/tokenizerSpec.ts';
import { chatTemplate } from '../chatTemplate.ts';
import { type GgufVocabulary, vocabularyMetadata } from './vocabularyMetadata.ts';

/** Bytes; real ones go up to 35 megabytes. */
const MAX_FILE = 2 ** 28;

/**
 * The tokenizer of a checkpoint as llama.cpp reads it, with the chat template that lies beside it; or why there is none.
 *
 * @throws EspalierError `checkpoint/tokenizer`
 */
export async function ggufVocabulary({
  tokenizerFolder,
  config,
  values,
}: Pick<Checkpoint, 'tokenizerFolder' | 'config' | 'values'>): Promise<GgufVocabulary | { readonly refused: string }> {
  const file = path.join(tokenizerFolder, 'tokenizer.json');
  const { around } = await loadTokenizer(tokenizerFolder, { vocabulary: config.vocabulary });
  const spec = parseTokenizerSpec(await readBounded(file, 'checkpoint/tokenizer', MAX_FILE), file);
  return vocabularyMetadata(spec, {
    around,
    rows: config.vocabulary,
    ids: {
      bos: idOf(values['bos_token_id']),
      eos: idOf(values['eos_token_id']),
      padding: idOf(values['pad_token_id']),
    },
    chatTemplate: await chatTemplate(tokenizerFolder),
  });
}

/** Of several that end a text the first. */
function idOf(stated: unknown): number | undefined {
  const id: unknown = Array.isArray(stated) ? stated[0] : stated;
  return typeof id === 'number' && Number.isInteger(id) && id >= 0 ? id : undefined;
}
