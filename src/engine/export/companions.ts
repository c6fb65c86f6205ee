import { constants } from 'node:fs';
import { copyFile, readdir } from 'node:fs/promises';
import path from 'node:path';

/** What a checkpoint folder has beside config.json and weights and what removal leaves as it is: tokenizer, generation, licence. */
const COMPANIONS: readonly RegExp[] = [
  /^tokenizer(_config)?\.json$/,
  /^(special_tokens_map|added_tokens|generation_config|vocab|chat_template)\.json$/,
  /^tokenizer\.model$/,
  /^merges\.txt$/,
  /^chat_template\.jinja$/,
  /^(licen[cs]e|notice|use_policy)[\w.-]*$/i,
];

/** Copies them, where they are there; links are followed. */
export async function copyCompanions(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    if (!COMPANIONS.some((pattern) => pattern.test(name))) continue;
    // With the bytes shared where the file system can.
    await copyFile(path.join(from, name), path.join(to, name), constants.COPYFILE_FICLONE);
  }
}
