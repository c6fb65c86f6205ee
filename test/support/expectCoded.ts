import { expect } from 'vitest';
import { EspalierError } from '../../src/base/errors.ts';
import type { ErrorCode } from '../../src/base/errors.ts';

/** The coded error that `work` fails with: anything else that is thrown, or no failure, fails the test. */
export async function failureOf(work: () => unknown): Promise<EspalierError> {
  try {
    await work();
  } catch (thrown) {
    if (thrown instanceof EspalierError) return thrown;
    throw new Error('not a coded error', { cause: thrown });
  }
  throw new Error('it did not fail');
}

/**
 * The coded error of `work`, or undefined when it succeeds; anything but a coded error fails the test. Every error must have
 * its code from `codes`, name a file, and say what to do.
 */
export async function failureOrNone(
  work: () => unknown,
  codes: readonly ErrorCode[],
): Promise<EspalierError | undefined> {
  try {
    await work();
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof EspalierError)) throw new Error('not a coded error', { cause: thrown });
    expect(codes).toContain(thrown.code);
    expect(thrown.data.file).toBeTruthy();
    expect(thrown.data.remedy).toMatch(/\w.*\.$/);
    expect(thrown.message.length).toBeLessThan(2000);
    return thrown;
  }
}
