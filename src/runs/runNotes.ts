import { rm } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { EspalierError } from '../base/errors.ts';
import type { Immutable } from '../base/immutable.ts';
import { plainLine } from '../base/plainText.ts';
import { fileProblem } from '../files/fileProblem.ts';
import { readText } from '../files/readBytes.ts';
import { writeWhole } from '../files/writeWhole.ts';
import { checkRunFolder, fileOfRun } from './runPath.ts';

/** In the run's folder, fit for version control. */
export const NOTES_FILE = 'notes.json';
export const LONGEST_NAME = 80;
export const LONGEST_NOTE = 2000;
export const LONGEST_TAG = 40;
export const MOST_TAGS = 32;

const FORMAT = 'espalier-notes-1';
/** What is longer is refused, not cut. */
const LONGEST_READ = 100_000;
/** Every character may take six bytes (`\u0000`). */
const MAX_BYTES = 16 << 10;

/** What a person calls a run, has to say about it, and finds it by. It decides nothing, so that it stands neither in run.json nor in the journal. */
export type RunNotes = Immutable<Omit<z.infer<typeof notesSchema>, 'format'>>;

const notesSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** One line. */
  name: z.string().max(LONGEST_NAME).exactOptional(),
  note: z.string().max(LONGEST_NOTE).exactOptional(),
  /** A word each, in the order of the alphabet. */
  tags: z.array(z.string().max(LONGEST_TAG)).max(MOST_TAGS).exactOptional(),
});

/** What was read; `problem` says in words why there is nothing where there is a file. */
export interface ReadNotes extends RunNotes {
  readonly problem?: string;
}

/**
 * Notes come with a repository that one clones: only a plain file of bounded size is read, and what it holds is text of one line. Notes
 * that cannot be read hide no run.
 *
 * @param folder of the run, absolute
 */
export async function readNotes(folder: string): Promise<ReadNotes> {
  const file = path.join(folder, NOTES_FILE);
  let value: unknown;
  try {
    value = JSON.parse(await readText(file, { maxBytes: MAX_BYTES, ...fileOfRun(file) }));
  } catch (error) {
    if (error instanceof SyntaxError) return { problem: 'it is no JSON' };
    const problem = fileProblem(error);
    return problem.missing ? {} : { problem: `it is ${problem.message}` };
  }
  const parsed = notesSchema.safeParse(value);
  return parsed.success ? plainNotes(parsed.data) : { problem: `it is not in the format ${FORMAT}` };
}

/**
 * Writes them whole, in the place of those before; nothing to say leaves no file.
 *
 * @throws EspalierError `settings/invalid` for what is too long, `io/write`; as {@link checkRunFolder}
 */
export async function writeNotes(folder: string, notes: RunNotes): Promise<void> {
  const plain = plainNotes(notes);
  checkLength('name', plain.name, LONGEST_NAME);
  checkLength('note', plain.note, LONGEST_NOTE);
  checkTags(plain.tags ?? []);
  const file = path.join(folder, NOTES_FILE);
  await checkRunFolder(folder, 'keeping what is said of a run');
  try {
    if (Object.keys(plain).length === 0) await rm(file, { force: true });
    else await writeWhole(file, `${JSON.stringify({ format: FORMAT, ...plain }, undefined, 2)}\n`);
  } catch (error) {
    throw new EspalierError(
      {
        code: 'io/write',
        operation: 'keeping what is said of a run',
        expected: 'a folder that can be written to',
        actual: fileProblem(error).message,
        remedy: `Make the folder writable, make room, or remove what stands in the place of ${NOTES_FILE}, and try again.`,
        file,
      },
      { cause: error },
    );
  }
}

/** The tags of a run after some were added and others taken away. */
export function changedTags(
  tags: readonly string[],
  add: readonly string[],
  remove: readonly string[],
): readonly string[] {
  const gone = new Set(remove.map(plainTag));
  return plainTags([...tags, ...add]).filter((tag) => !gone.has(tag));
}

/** Words that a person wrote in a row, separated by commas or blanks. */
export function tagsIn(text: string): readonly string[] {
  return plainTags(text.split(/[\s,]+/));
}

/** Without what is no text: control characters, and marks that turn the direction of what follows. */
function plainNotes({ name, note, tags }: RunNotes): RunNotes {
  const [plainName, plainNote] = [name, note].map((text) => plainLine(text ?? '', LONGEST_READ));
  const kept = plainTags(tags ?? []);
  return {
    ...(plainName && { name: plainName }),
    ...(plainNote && { note: plainNote }),
    ...(kept.length > 0 && { tags: kept }),
  };
}

/** Each once, in the order of the alphabet, which is that of no language: a file that is the same everywhere. */
function plainTags(tags: readonly string[]): readonly string[] {
  return [...new Set(tags.map(plainTag))].filter((tag) => tag !== '').sort();
}

/** A word: blanks and commas separate tags, and a sign in front adds or takes one away. */
function plainTag(tag: string): string {
  return plainLine(tag, LONGEST_READ)
    .replace(/^[+-]+/, '')
    .replace(/[\s,]+/g, '-');
}

function checkTags(tags: readonly string[]): void {
  for (const tag of tags) checkLength('tag', tag, LONGEST_TAG);
  if (tags.length <= MOST_TAGS) return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'tagging a run',
    expected: `at most ${MOST_TAGS} tags`,
    actual: `${tags.length}`,
    remedy: 'Take some away.',
  });
}

function checkLength(what: string, text: string | undefined, most: number): void {
  if (text === undefined || text.length <= most) return;
  throw new EspalierError({
    code: 'settings/invalid',
    operation: `giving a run a ${what}`,
    expected: `at most ${most} characters`,
    actual: `${text.length} characters`,
    remedy: 'Say it in fewer words.',
  });
}
