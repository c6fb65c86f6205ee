import type { ErrorData } from '../../base/errors.ts';
import type { Style } from '../terminal.ts';

/** A failure for a person: what, found against expected, and on a line of its own what to do. */
export function printFailure(error: ErrorData, style: Style): string[] {
  const where = error.file !== undefined && !error.operation.includes(error.file) ? ` (${error.file})` : '';
  return [
    `${style.red('error:')} ${error.operation}${where}: expected ${error.expected}, got ${error.actual} ${style.dim(`[${error.code}]`)}`,
    `  ${error.remedy}`,
  ];
}
