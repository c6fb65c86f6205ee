import { EspalierError } from '../../base/errors.ts';

/** An error about tokenizer.json, or about the text that it cannot be used on. */
export function tokenizerError(
  file: string,
  expected: string,
  actual: string,
  remedy = 'Restore the tokenizer.json of the checkpoint.',
): EspalierError {
  return new EspalierError({
    code: 'checkpoint/tokenizer',
    operation: `reading ${file}`,
    expected,
    actual,
    remedy,
    file,
  });
}

/** What a file has in a place, shortened. */
export function shown(value: unknown): string {
  return JSON.stringify(value ?? null).slice(0, 60);
}

/** A word that has to be in memory as a whole. */
export function wordTooLong(file: string, length: number, limit: number): EspalierError {
  return tokenizerError(
    file,
    `words of at most ${limit} characters, as this tokenizer cuts them`,
    `${length} characters without a place to cut`,
    BREAK_UP,
  );
}

export const BREAK_UP = 'Break the text up with spaces or line ends.';
