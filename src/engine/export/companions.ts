import { constants } from 'node:fs';
import { copyFile, readdir, stat } from 'node:fs/promises';
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
    const file = path.join(from, name);
    // A folder of licences has such a name, too.
    if (!COMPANIONS.some((pattern) => pattern.test(name)) || !(await isFile(file))) continue;
    // With the bytes shared where the file system can.
    await copyFile(file, path.join(to, name), constants.COPYFILE_FICLONE);
  }
}

/** False of a link that leads nowhere. */
async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}
