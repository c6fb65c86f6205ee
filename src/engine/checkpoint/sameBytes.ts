import type { FileHandle } from 'node:fs/promises';
import { EspalierError } from '../../base/errors.ts';
import { FileProblem, fileProblem } from '../../files/fileProblem.ts';
import { openToRead } from '../../files/openRegular.ts';
import type { TensorEntry } from './safetensors.ts';

/** Bytes that are compared at a time. */
const PORTION = 1 << 20;

/** Whether two tensors hold the same bytes. @throws EspalierError `checkpoint/safetensors` */
export async function sameBytes(first: TensorEntry, second: TensorEntry): Promise<boolean> {
  const length = first.end - first.begin;
  if (second.end - second.begin !== length) return false;
  const handles: FileHandle[] = [];
  try {
    for (const { file } of [first, second]) handles.push(await openToRead(file));
    const [one, other] = [Buffer.alloc(Math.min(PORTION, length)), Buffer.alloc(Math.min(PORTION, length))];
    for (let at = 0; at < length; at += PORTION) {
      const size = Math.min(PORTION, length - at);
      await readFully(handles[0]!, one, first.begin + at, size);
      await readFully(handles[1]!, other, second.begin + at, size);
      if (one.compare(other, 0, size, 0, size) !== 0) return false;
    }
    return true;
  } catch (thrown) {
    throw new EspalierError({
      code: 'checkpoint/safetensors',
      operation: `reading ${second.file}`,
      expected: 'readable data',
      actual: fileProblem(thrown).message,
      remedy: 'Leave the checkpoint alone while it is in use, and start again.',
      file: second.file,
    });
  } finally {
    for (const handle of handles) await handle.close();
  }
}

async function readFully(handle: FileHandle, into: Buffer, position: number, size: number): Promise<void> {
  for (let at = 0; at < size;) {
    const { bytesRead } = await handle.read(into, at, size - at, position + at);
    if (bytesRead === 0) throw new FileProblem('changed', 'the end of the file');
    at += bytesRead;
  }
}
