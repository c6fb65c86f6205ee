import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeLine, firstLink } from '../../src/runs/journalLine.ts';
import { createRun, JOURNAL_FILE } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import type { SyntheticRun } from './differentRuns.ts';

/** Puts a run on the disk as its search would have. @param createdAt its name begins with it */
export async function writeRun(root: string, { plan, events }: SyntheticRun, createdAt: Date): Promise<RunFolder> {
  const run = await createRun(plan, { root, createdAt, versions: {} });
  await writeFile(path.join(run.folder, JOURNAL_FILE), journalOfEvents(run, events));
  return run;
}

export function journalOfEvents({ record }: RunFolder, events: SyntheticRun['events']): string {
  let link = firstLink(record);
  let text = '';
  for (const [seq, { at, event }] of events.entries()) {
    const { line, next } = encodeLine({ seq, at: Math.round(at), event }, link);
    text += line;
    link = next;
  }
  return text;
}
