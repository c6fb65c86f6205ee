/**
 * Workers that may vanish with a question (killed, frozen, cut off) before it fails as one that nobody answers. An engine that ends under a question
 * is another matter: its worker lives, and says so.
 */
export const MOST_VANISHED = 5;

/** A job as it stands in a queue. */
export interface StoredJob {
  readonly id: string;
  readonly data: unknown;
  /** What it was answered with; undefined until then. */
  readonly answer: unknown;
  /** Why nobody will answer it. */
  readonly failure: string | undefined;
}

/** A queue of the library, as far as it is used. */
export interface JobQueue {
  /** Adds a job; one that is there already stays as it is. */
  add(name: string, id: string, data: unknown): Promise<void>;
  /** Changes the data of a job. @returns whether it was there */
  update(id: string, data: unknown): Promise<boolean>;
  get(id: string): Promise<StoredJob | undefined>;
  /** Jobs that nobody works on. */
  waiting(): Promise<readonly StoredJob[]>;
  /** Jobs by state. */
  counts(): Promise<Readonly<Record<string, number>>>;
  /** Removes a job, unless somebody works on it. */
  remove(id: string): Promise<void>;
  /** Removes the queue and all that is in it. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** What happens in a queue. */
export interface JobEvents {
  readonly onAnswered: (id: string, answer: unknown) => void;
  /** Nobody will answer it: mostly because {@link MOST_VANISHED} workers vanished with it. */
  readonly onFailed: (id: string, reason: string) => void;
  /** A job was added that was there already: nothing more happens to it where it is answered. */
  readonly onDuplicated: (id: string) => void;
}

/** Listens until it is closed, to another server's beginning too. */
export interface JobListener {
  /** Resolves when nothing that happens from now on is missed (or when it is closed), as long as the server is there. */
  readonly heard: Promise<void>;
  close(): Promise<void>;
}

/** Works on the jobs of a queue, one at a time; its locks are renewed by this process. */
export interface JobWorker {
  /** Takes jobs until it is closed. */
  run(): void;
  /** Takes no more. Resolves when the job that it works on is done. @param force does not wait: the job goes to others when its lock runs out */
  close(force?: boolean): Promise<void>;
}

/** What a worker does with a job. */
export type JobOutcome =
  | { readonly kind: 'answered'; readonly answer: unknown }
  /** It waits for somebody else again. */
  | { readonly kind: 'returned' };

export interface JobWorkerOptions {
  readonly name: string;
  readonly process: (id: string, data: unknown) => Promise<JobOutcome>;
  /** There is nothing more to take, for the moment. */
  readonly onDrained?: () => void;
}
