import { EspalierError } from '../../base/errors.ts';
import type { ErrorCode } from '../../base/errors.ts';
import { fileProblem, reasonOf } from '../../files/fileProblem.ts';
import { isLfsPointer, LFS_POINTER } from '../../files/lfsPointer.ts';
import { readBytes } from '../../files/readBytes.ts';

/**
 * Reads a JSON file whose top level is an object. At most `limit` bytes are ever read, so that a hostile or misnamed file
 * cannot fill the memory.
 *
 * @throws EspalierError `code` when it cannot be read, is too large, is not UTF-8, is not JSON or is not an object.
 */
export async function readJsonFile(
  file: string,
  code: ErrorCode,
  limit: number,
): Promise<Readonly<Record<string, unknown>>> {
  return parseJsonObject(await readBounded(file, code, limit), file, code);
}

/** {@link parseJson} of what has to be an object at its top level. */
export function parseJsonObject(bytes: Uint8Array, file: string, code: ErrorCode): Readonly<Record<string, unknown>> {
  const value = parseJson(bytes, file, code);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw jsonError(file, code, 'a JSON object', Array.isArray(value) ? 'a list' : JSON.stringify(value).slice(0, 60));
  }
  return value as Record<string, unknown>;
}

/** The whole file when it has at most `limit` bytes. */
export async function readBounded(file: string, code: ErrorCode, limit: number): Promise<Uint8Array> {
  try {
    return await readBytes(file, { maxBytes: limit });
  } catch (thrown) {
    if (thrown instanceof EspalierError) throw thrown;
    const { kind, message } = fileProblem(thrown);
    throw jsonError(file, code, kind === 'too-large' ? `at most ${limit} bytes` : 'a readable file', message);
  }
}

/** UTF-8 bytes (a byte order mark is skipped) to a JSON value. */
export function parseJson(bytes: Uint8Array, file: string, code: ErrorCode): unknown {
  if (isLfsPointer(bytes)) throw jsonError(file, code, 'JSON', LFS_POINTER.actual, LFS_POINTER.remedy);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw jsonError(file, code, 'UTF-8 text', 'bytes that are not UTF-8');
  }
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw jsonError(file, code, 'JSON', bytes.length === 0 ? 'an empty file' : reasonOf(thrown));
  }
}

function jsonError(
  file: string,
  code: ErrorCode,
  expected: string,
  actual: string,
  remedy = 'Download the checkpoint again, or restore the file.',
): EspalierError {
  return new EspalierError({
    code,
    operation: `reading ${file}`,
    expected,
    actual,
    remedy,
    file,
  });
}
