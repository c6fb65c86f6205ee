import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FAMILIES } from '../support/generate/families.ts';
import { generateCheckpoint } from '../support/generate/generateCheckpoint.ts';
import { generateText } from '../support/generate/text.ts';
import { killTest } from './killTest.ts';
import type { KillReport, KillTest } from './killTest.ts';

/** The kill test on a small generated checkpoint, where a search takes seconds. */
export async function killGenerated(
  test: Omit<KillTest, 'flags'>,
  { population = 30, generations = 12 }: { readonly population?: number; readonly generations?: number } = {},
): Promise<KillReport> {
  const inputs = path.join(test.folder, 'inputs');
  await mkdir(inputs, { recursive: true });
  const [model, text, calibration, unseen] = ['model', 'text.txt', 'calibration.txt', 'test.txt'].map((name) =>
    path.join(inputs, name),
  );
  await generateCheckpoint(model!, FAMILIES['llama-1']);
  await writeFile(text!, generateText(1, 20_000));
  await writeFile(calibration!, generateText(2, 20_000));
  await writeFile(unseen!, generateText(3, 20_000));
  const flags = [
    ...['--model', model!, '--text', text!, '--calibration', calibration!, '--test', unseen!],
    ...['--device', 'cpu', '--threads', '2', '--length', '32', '--samples', '4', '--blocks', '27'],
    ...['--population', String(population), '--generations', String(generations), '--finalists', '2'],
  ];
  return killTest({ ...test, flags });
}
