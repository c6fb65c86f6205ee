import { EspalierError } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/errors.ts';

/** What is wrong with a data set's file. */
export function corpusError(
  code: ErrorCode,
  file: string,
  expected: string,
  actual: string,
  remedy: string,
): EspalierError {
  return new EspalierError({ code, operation: `reading ${file}`, expected, actual, remedy, file });
}

/** Of a file that does not keep to its own format. @param actual behind "got" */
export function damaged(file: string, format: string, actual: string): EspalierError {
  const remedy = 'Fetch or write the file again: it was cut off or changed on its way.';
  return corpusError('corpus/damaged', file, `whole ${format}`, actual, remedy);
}

/** Characters or bytes of the longest row: of books some have ten million. */
export const LONGEST_ROW = 2 ** 26;

export function rowTooLong(file: string, row: number): EspalierError {
  return corpusError(
    'evaluation/too-large',
    file,
    `rows of at most ${LONGEST_ROW} characters`,
    `more in row ${row}`,
    'Cut it up into several rows.',
  );
}
