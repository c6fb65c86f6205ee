/**
 * The error that Espalier's own code throws for failed input, failed I/O and broken invariants. What a person reads is
 * `operation: expected …, got …. remedy`. Codes are stable: tests, quick fixes and users' scripts rely on them.
 */
export class EspalierError extends Error {
  override readonly name = 'EspalierError';
  readonly data: ErrorData;

  constructor(data: ErrorData, options?: ErrorOptions) {
    super(describeError(data), options);
    this.data = data;
  }

  get code(): ErrorCode {
    return this.data.code;
  }
}

/** A failure as plain data: what crosses process boundaries and what `--json` prints. */
export interface ErrorData {
  readonly code: ErrorCode;
  /** What was being done, as a noun phrase or gerund: "reading model.safetensors". */
  readonly operation: string;
  readonly expected: string;
  readonly actual: string;
  /** What the user can do about it, as an imperative sentence. */
  readonly remedy: string;
  /** The file at fault, where there is one. */
  readonly file?: string;
}

export type ErrorCode =
  // checkpoints
  | 'checkpoint/not-found'
  | 'checkpoint/config'
  | 'checkpoint/unsupported-architecture'
  | 'checkpoint/safetensors'
  | 'checkpoint/shard-index'
  | 'checkpoint/tensor'
  | 'checkpoint/tokenizer'
  // corpora
  | 'corpus/not-found'
  | 'corpus/encoding'
  | 'corpus/format'
  | 'corpus/too-short'
  // metrics, `.prune` files and settings
  | 'metric/syntax'
  | 'metric/invalid-score'
  | 'metric/json'
  | 'language/errors'
  | 'language/no-such-declaration'
  | 'settings/invalid'
  | 'cli/usage'
  // engine and devices
  | 'evaluation/not-finite'
  | 'evaluation/too-large'
  | 'device/unavailable'
  | 'device/failed'
  | 'engine/invariant'
  // export
  | 'export/exists'
  | 'export/mismatch'
  // processes
  | 'worker/exited'
  | 'worker/start-failed'
  | 'worker/gave-up'
  | 'protocol/malformed'
  | 'protocol/unknown-request'
  | 'protocol/version'
  // runs
  | 'runs/not-found'
  | 'runs/format'
  | 'runs/damaged'
  | 'runs/in-use'
  | 'runs/changed'
  | 'runs/diverged'
  // language models
  | 'llm/unreachable'
  | 'llm/refused'
  | 'llm/rate-limited'
  | 'llm/timeout'
  | 'llm/bad-reply'
  | 'llm/no-key'
  | 'llm/not-agreed'
  | 'llm/cap'
  | 'llm/not-recorded'
  // the machine
  | 'io/read'
  | 'io/write'
  | 'cancelled'
  | 'internal';

export function describeError(data: ErrorData): string {
  const where = data.file !== undefined && !data.operation.includes(data.file) ? ` (${data.file})` : '';
  return `${data.operation}${where}: expected ${data.expected}, got ${data.actual}. ${data.remedy}`;
}

export function cancelledError(operation: string): EspalierError {
  return new EspalierError({
    code: 'cancelled',
    operation,
    expected: 'to run to its end',
    actual: 'a request to cancel',
    remedy: 'Start it again when you need it.',
  });
}

/** Throws the coded `cancelled` error once `signal` is aborted: called between the block-sized steps of long work. */
export function throwIfCancelled(signal: AbortSignal | undefined, operation: string): void {
  if (signal?.aborted) throw cancelledError(operation);
}

/** Whatever was thrown, as data: used at the three boundaries (command, request handler, language provider). */
export function toErrorData(thrown: unknown, operation: string): ErrorData {
  if (thrown instanceof EspalierError) return thrown.data;
  const actual = thrown instanceof Error ? thrown.message : String(thrown);
  return {
    code: 'internal',
    operation,
    expected: 'no failure here',
    actual,
    remedy: 'This is a defect of Espalier: please report it with the log.',
  };
}
