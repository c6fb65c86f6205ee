import { access } from 'node:fs/promises';
import path from 'node:path';
import { readBounded, readJsonFile } from '../checkpoint/jsonFile.ts';
import { TOKENIZER_CONFIG } from '../checkpoint/tokenSettings.ts';

/** Bytes; real ones have some thousand, and tokenizer_config.json some megabytes. */
const MAX_FILE = 2 ** 28;

/**
 * How a conversation becomes a prompt (Jinja), where a checkpoint says so: in a file of its own, or in tokenizer_config.json.
 *
 * @throws EspalierError `checkpoint/tokenizer`
 */
export async function chatTemplate(folder: string): Promise<string | undefined> {
  const own = path.join(folder, 'chat_template.jinja');
  if (await isThere(own)) return new TextDecoder().decode(await readBounded(own, 'checkpoint/tokenizer', MAX_FILE));
  const config = path.join(folder, TOKENIZER_CONFIG);
  if (!(await isThere(config))) return undefined;
  const { chat_template: template } = await readJsonFile(config, 'checkpoint/tokenizer', MAX_FILE);
  return typeof template === 'string' ? template : undefined;
}

export async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
