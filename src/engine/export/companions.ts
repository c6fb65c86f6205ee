import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { copyFile } from '../../files/copyFile.ts';
import { isReallyInside } from '../../files/inside.ts';

/** What a checkpoint folder has beside config.json and weights and what removal leaves as it is: tokenizer, generation, licence. */
const COMPANIONS: readonly RegExp[] = [
  /^tokenizer(_config)?\.json$/,
  /^(special_tokens_map|added_tokens|generation_config|vocab|chat_template)\.json$/,
  /^tokenizer\.model$/,
  /^merges\.txt$/,
  /^chat_template\.jinja$/,
  /^(licen[cs]e|notice|use_policy)[\w.-]*$/i,
];

/** Without it the exported model reads no text. */
const NEEDED = 'tokenizer.json';

/**
 * Copies them, where they are there. A link is followed inside the checkpoint and inside the hub's cache that it lies in; one that
 * leads anywhere else is left out: an export is made to be given away, and what it leads to may not be.
 *
 * @returns names of those that were left out
 * @throws EspalierError `checkpoint/tokenizer` where the tokenizer would be left out
 */
export async function copyCompanions(from: string, to: string): Promise<readonly string[]> {
  const leftOut: string[] = [];
  const folders = [from, ...(await hubBlobs(from))];
  for (const name of (await readdir(from)).sort()) {
    const file = path.join(from, name);
    // A folder of licences has such a name, too.
    if (!COMPANIONS.some((pattern) => pattern.test(name)) || !(await isFile(file))) continue;
    const inside = await Promise.all(folders.map((folder) => isReallyInside(folder, file)));
    if (inside.includes(true)) await copyFile(file, path.join(to, name));
    else if (name === NEEDED) throw leadsOut(file);
    else leftOut.push(name);
  }
  return leftOut;
}

/** In the hub's cache the files of `models--OWNER--NAME/snapshots/COMMIT` are links into `models--OWNER--NAME/blobs`. */
async function hubBlobs(folder: string): Promise<string[]> {
  const snapshots = path.dirname(await realpath(folder));
  const repository = path.dirname(snapshots);
  const isHub = path.basename(snapshots) === 'snapshots' && path.basename(repository).startsWith('models--');
  return isHub ? [path.join(repository, 'blobs')] : [];
}

/** False of a link that leads nowhere. */
async function isFile(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}

function leadsOut(file: string): EspalierError {
  return new EspalierError({
    code: 'checkpoint/tokenizer',
    operation: `copying ${file}`,
    expected: 'a file inside the checkpoint',
    actual: 'a link that leads out of it',
    remedy: 'Put a copy of the file in the place of the link, and export again.',
    file,
  });
}
