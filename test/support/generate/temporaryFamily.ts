import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAMILIES, type FamilyName } from './families.ts';
import { generateCheckpoint } from './generateCheckpoint.ts';
import { generateText } from './text.ts';

/** A generated checkpoint and corpora on disk, gone after `remove`. */
export interface TemporaryFamily {
  readonly folder: string;
  /** Evaluation and calibration corpora: files and what they hold. */
  readonly text: string;
  readonly textFile: string;
  readonly calibration: string;
  readonly calibrationFile: string;
  remove(): Promise<void>;
}

export async function temporaryFamily(name: FamilyName): Promise<TemporaryFamily> {
  const folder = await mkdtemp(join(tmpdir(), 'espalier-family-'));
  await generateCheckpoint(folder, FAMILIES[name]);
  const [text, calibration] = [generateText(1, 110), generateText(2, 110)];
  const [textFile, calibrationFile] = [join(folder, 'text.txt'), join(folder, 'calibration.txt')];
  await writeFile(textFile, text);
  await writeFile(calibrationFile, calibration);
  return { folder, text, textFile, calibration, calibrationFile, remove: () => rm(folder, { recursive: true }) };
}
