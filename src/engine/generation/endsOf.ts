import { access } from 'node:fs/promises';
import path from 'node:path';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { readJsonFile } from '../checkpoint/jsonFile.ts';

const GENERATION_CONFIG = 'generation_config.json';
/** Bytes; real ones have some hundred. */
const MAX_CONFIG = 2 ** 20;

/**
 * Ids that end a text: `eos_token_id` of config.json and of generation_config.json, a number or several.
 *
 * @throws EspalierError `checkpoint/config` for a generation_config.json that is no JSON
 */
export async function endsOf({ values, tokenizerFolder, config }: Checkpoint): Promise<ReadonlySet<number>> {
  const file = path.join(tokenizerFolder, GENERATION_CONFIG);
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  const generation = isThere ? await readJsonFile(file, 'checkpoint/config', MAX_CONFIG) : {};
  const said = [values['eos_token_id'], generation['eos_token_id']].flat();
  return new Set(
    said.filter((id): id is number => Number.isInteger(id) && Number(id) >= 0 && Number(id) < config.vocabulary),
  );
}
