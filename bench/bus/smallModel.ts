import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAMILIES } from '../../test/support/generate/families.ts';
import { generateCheckpoint } from '../../test/support/generate/generateCheckpoint.ts';

/** Wider than two tiles and a strip of H, and no multiple of them. */
const INTERMEDIATE = 270;

/** A checkpoint in LLaMA's shape, heads in groups, in a temporary folder that the caller removes. */
export async function generateSmallModel(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'espalier-bus-'));
  const recipe = FAMILIES['llama-2 grouped queries'];
  await generateCheckpoint(folder, { ...recipe, config: { ...recipe.config, intermediate_size: INTERMEDIATE } });
  return folder;
}
