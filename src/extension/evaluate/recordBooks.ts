import path from 'node:path';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { createRecord, recordName } from '../../runs/evaluationRecord.ts';
import { portablePath } from '../../runs/portablePaths.ts';
import type { EvaluationRecord } from '../../runs/evaluationRecord.ts';
import { EvaluationStore } from '../../runs/evaluationStore.ts';

export interface RecordBooksOptions {
  /** Workspace folder of a file, absolute; undefined for one outside of all. */
  readonly rootOf: (file: string) => string | undefined;
  readonly now: () => Date;
  readonly log: (message: string) => void;
  /** The records of a folder are new. */
  readonly onChange: (root: string) => void;
}

interface Book {
  readonly store: EvaluationStore;
  records: Map<string, EvaluationRecord>;
  /** Those that could not be written; they stay visible until the window closes. */
  readonly unsaved: Map<string, EvaluationRecord>;
  loading: Promise<void> | undefined;
}

/** The kept evaluations of every workspace folder that is looked at. A file outside of all is kept beside itself. */
export class RecordBooks {
  private readonly options: RecordBooksOptions;
  private readonly books = new Map<string, Book>();

  constructor(options: RecordBooksOptions) {
    this.options = options;
  }

  rootOf(document: string): string {
    return this.options.rootOf(document) ?? path.dirname(document);
  }

  /** The records of a document, oldest first, as far as they are loaded; asking loads them. */
  of(document: string): readonly EvaluationRecord[] {
    const root = this.rootOf(document);
    const name = portablePath(root, document);
    return this.in(root).filter((record) => record.document === name);
  }

  /** All records of a folder, oldest first, as far as they are loaded; asking loads them. */
  in(root: string): readonly EvaluationRecord[] {
    return [...this.book(root).records.values()].sort((a, b) =>
      a.savedAt < b.savedAt ? -1 : a.savedAt > b.savedAt ? 1 : 0,
    );
  }

  /** Dense perplexities of a checkpoint in the loaded records, the newest of each text, newest first. */
  densePerplexities(model: string): readonly { readonly perplexity: number; readonly text: string }[] {
    const found = [...this.books].flatMap(([root, { records }]) =>
      [...records.values()].filter((record) => path.resolve(root, record.model) === model),
    );
    const newest = found.sort((a, b) => (a.savedAt < b.savedAt ? 1 : -1));
    const byText = new Map<string, number>();
    for (const { text, result } of newest) {
      if (text === undefined || result.densePerplexity === undefined || byText.has(text)) continue;
      byText.set(text, result.densePerplexity);
    }
    return [...byText].map(([text, perplexity]) => ({ text, perplexity }));
  }

  /** Shows a result at once and keeps it. Rejects with `io/write` where it cannot be kept; it is then shown all the same. */
  async add(document: string, plan: EvaluationPlan, result: EvaluationResult): Promise<EvaluationRecord> {
    const root = this.rootOf(document);
    const book = this.book(root);
    const record = createRecord(plan, result, { root, document, savedAt: this.options.now() });
    await book.loading;
    const name = recordName(record);
    book.records.set(name, record);
    book.unsaved.set(name, record);
    this.options.onChange(root);
    await book.store.save(record);
    book.unsaved.delete(name);
    return record;
  }

  /** Reads a folder again: somebody else (git, another window) has written there. */
  async reload(root: string): Promise<void> {
    const book = this.books.get(root);
    if (book) await this.load(root, book);
  }

  private book(root: string): Book {
    let book = this.books.get(root);
    if (!book) {
      book = {
        store: new EvaluationStore(root, this.options.log),
        records: new Map(),
        unsaved: new Map(),
        loading: undefined,
      };
      this.books.set(root, book);
      book.loading = this.load(root, book);
    }
    return book;
  }

  private async load(root: string, book: Book): Promise<void> {
    const records = await book.store.load();
    book.records = new Map([...records.map((record) => [recordName(record), record] as const), ...book.unsaved]);
    this.options.onChange(root);
  }
}
