import { createRequire } from 'node:module';

interface RustTokenizer {
  encode(text: string, pair: null, options: { addSpecialTokens: boolean }): Promise<{ getIds(): number[] }>;
  decode(ids: number[], skipSpecialTokens: boolean): Promise<string>;
}

/** The Rust tokenizers library, or undefined on systems for which its package brings no binary. */
export const rustTokenizers = ((): { Tokenizer: { fromString(json: string): RustTokenizer } } | undefined => {
  try {
    return createRequire(import.meta.url)('tokenizers') as { Tokenizer: { fromString(json: string): RustTokenizer } };
  } catch {
    return undefined;
  }
})();

/** Ids that the Rust library makes of a text, special tokens included. */
export async function rustIds(tokenizer: RustTokenizer, text: string): Promise<number[]> {
  return (await tokenizer.encode(text, null, { addSpecialTokens: true })).getIds();
}
