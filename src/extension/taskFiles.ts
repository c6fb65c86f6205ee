import { toErrorData } from '../base/errors.ts';
import type { FirstDocuments } from '../language/server/firstDocuments.ts';
import type { FirstDocumentsParams, TaskFilesParams } from '../language/server/messages.ts';

export interface TaskFilesParts {
  /** The first documents of a file; undefined where no file may be read now. */
  readonly read: (
    file: string,
  ) => Promise<Pick<Extract<FirstDocuments, { documents: unknown }>, 'documents'> | undefined>;
  readonly tell: (params: FirstDocumentsParams) => void;
  /** Calls back whenever the file is written, made or removed. */
  readonly watch: (file: string, onChange: () => void) => { dispose(): unknown };
}

/** Tells the language server the first documents of the files that the tasks of open files name, for as long as these are open. */
export class TaskFiles {
  private readonly parts: TaskFilesParts;
  /** Of each open file those that it names. */
  private readonly named = new Map<string, readonly string[]>();
  private readonly watched = new Map<string, { dispose(): unknown }>();
  /** How often each was looked at: the answer to an older look is no news. */
  private readonly looks = new Map<string, number>();

  constructor(parts: TaskFilesParts) {
    this.parts = parts;
  }

  update({ uri, files }: TaskFilesParams): void {
    if (files.length === 0) this.named.delete(uri);
    else this.named.set(uri, files);
    const wanted = new Set([...this.named.values()].flat());
    for (const [file, watcher] of this.watched) {
      if (wanted.has(file)) continue;
      watcher.dispose();
      this.watched.delete(file);
      this.looks.delete(file);
      this.parts.tell({ file, first: undefined });
    }
    for (const file of wanted) {
      if (this.watched.has(file)) continue;
      const look = (): void => void this.look(file);
      this.watched.set(file, this.parts.watch(file, look));
      look();
    }
  }

  /** What may be read has changed. */
  lookAgain(): void {
    for (const file of this.watched.keys()) void this.look(file);
  }

  dispose(): void {
    for (const watcher of this.watched.values()) watcher.dispose();
    this.watched.clear();
    this.named.clear();
    this.looks.clear();
  }

  private async look(file: string): Promise<void> {
    const look = (this.looks.get(file) ?? 0) + 1;
    this.looks.set(file, look);
    const first = await this.parts.read(file).catch((thrown: unknown): FirstDocuments => {
      const { expected, actual } = toErrorData(thrown, `reading ${file}`);
      return { problem: `expected ${expected}, got ${actual}` };
    });
    if (first !== undefined && this.looks.get(file) === look) this.parts.tell({ file, first });
  }
}
