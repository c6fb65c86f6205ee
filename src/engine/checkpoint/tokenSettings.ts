import { access } from 'node:fs/promises';
import path from 'node:path';
import { readJsonFile } from './jsonFile.ts';

/**
 * What tokenizer_config.json says that reaches a token: which tokens are put before and after a text. Everything else in it (chat
 * template, lengths, class names) is about other uses.
 */
export type TokenSettings = Readonly<Partial<Record<TokenSetting, unknown>>>;
type TokenSetting = 'add_bos_token' | 'bos_token' | 'add_eos_token' | 'eos_token';

export const TOKENIZER_CONFIG = 'tokenizer_config.json';

/** Bytes; real ones go up to some megabytes, where all added tokens are listed. */
const MAX_CONFIG = 2 ** 28;

/**
 * Reads them from a checkpoint folder. A token is only there where its flag switches it on: otherwise it decides nothing.
 *
 * @throws EspalierError `checkpoint/tokenizer`
 */
export async function readTokenSettings(folder: string): Promise<TokenSettings> {
  const file = path.join(folder, TOKENIZER_CONFIG);
  if (!(await exists(file))) return {};
  const config = await readJsonFile(file, 'checkpoint/tokenizer', MAX_CONFIG);
  return {
    ...settingsOf(config, 'add_bos_token', 'bos_token'),
    ...settingsOf(config, 'add_eos_token', 'eos_token'),
  };
}

function settingsOf(config: TokenSettings, flag: TokenSetting, token: TokenSetting): TokenSettings {
  const wanted = config[flag];
  if (wanted === undefined || wanted === null) return {};
  const content = wanted === true ? contentOf(config[token]) : undefined;
  return { [flag]: wanted, ...(content !== undefined && { [token]: content }) };
}

/** A token is its text, or an object with the text in it. */
function contentOf(token: unknown): string | undefined {
  if (typeof token === 'string') return token;
  const content = typeof token === 'object' && token !== null ? (token as { content?: unknown }).content : undefined;
  return typeof content === 'string' ? content : undefined;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
