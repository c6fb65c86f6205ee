import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { EspalierError } from '../base/errors.ts';
import { parseRecord, recordName } from './evaluationRecord.ts';
import type { EvaluationRecord } from './evaluationRecord.ts';
import { FileProblem, fileProblem, reasonOf } from '../files/fileProblem.ts';
import type { OpenOptions } from '../files/openRegular.ts';
import { readText } from '../files/readBytes.ts';
import { checkRealFolders } from '../files/realFolders.ts';
import { writeWhole } from '../files/writeWhole.ts';
import { NO_LINKS } from './runPath.ts';

/** Where records lie inside the workspace folder. */
const EVALUATIONS_FOLDER = path.join('.espalier', 'evaluations');

/** No record is nearly as large. */
const MAX_BYTES = 1 << 20;
/** More files than this are not looked at. */
const MAX_FILES = 20_000;

/**
 * Keeps every evaluation of a workspace folder as a JSON file of its own, for people and for git. A record is written whole or
 * not at all; evaluating the same again replaces it. Reading takes nothing for granted: what is no record is left aside with a
 * word in the log.
 */
export class EvaluationStore {
  readonly folder: string;
  /** Links are not followed: a repository that one clones must not make the editor read or write elsewhere. */
  private readonly inside: OpenOptions & { readonly below: string };
  private readonly log: (message: string) => void;

  /** @param root workspace folder, absolute */
  constructor(root: string, log: (message: string) => void) {
    this.folder = path.join(root, EVALUATIONS_FOLDER);
    this.inside = { links: 'refuse', below: root };
    this.log = log;
  }

  /** All records, oldest first. A folder that is not there holds none. */
  async load(): Promise<readonly EvaluationRecord[]> {
    const names = await this.names();
    const records: EvaluationRecord[] = [];
    for (const name of names) {
      const record = await this.read(name);
      if (record) records.push(record);
    }
    return records.sort((a, b) => (a.savedAt < b.savedAt ? -1 : a.savedAt > b.savedAt ? 1 : 0));
  }

  /**
   * Writes a record beside and moves it in place, so that no reader, and no crash, ever sees half of one.
   *
   * @returns the file
   * @throws EspalierError `io/write`
   */
  async save(record: EvaluationRecord): Promise<string> {
    const file = path.join(this.folder, recordName(record));
    try {
      await writeWhole(file, `${JSON.stringify(record, undefined, 2)}\n`, this.inside.below);
      return file;
    } catch (error) {
      const isLink = error instanceof FileProblem && error.kind === 'link';
      throw new EspalierError(
        {
          code: 'io/write',
          operation: 'keeping an evaluation',
          expected: 'a folder that can be written to',
          actual: error instanceof Error ? error.message : String(error),
          remedy: `The result is shown but will be gone when the window closes. ${isLink ? NO_LINKS : 'Make the folder writable and evaluate again.'}`,
          file,
        },
        { cause: error },
      );
    }
  }

  private async names(): Promise<string[]> {
    try {
      await checkRealFolders(this.inside.below, this.folder);
      const entries = await readdir(this.folder, { withFileTypes: true });
      const names = entries
        .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
        .map((entry) => entry.name);
      if (names.length > MAX_FILES)
        this.log(`${this.folder} holds ${names.length} files; the first ${MAX_FILES} are read`);
      return names.sort().slice(0, MAX_FILES);
    } catch (error) {
      const { missing, message } = fileProblem(error);
      if (!missing) this.log(`${this.folder} cannot be read: ${message}`);
      return [];
    }
  }

  private async read(name: string): Promise<EvaluationRecord | undefined> {
    const file = path.join(this.folder, name);
    try {
      const record = parseRecord(await readText(file, { ...this.inside, maxBytes: MAX_BYTES }));
      if (!record) this.log(`${file} is no evaluation of this version and is ignored`);
      return record;
    } catch (error) {
      this.log(`${file} cannot be read: ${reasonOf(error)}`);
      return undefined;
    }
  }
}
