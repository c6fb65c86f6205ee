import type { ErrorCode, ErrorData } from './errorSchema.ts';

export type { ErrorCode, ErrorData } from './errorSchema.ts';

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
