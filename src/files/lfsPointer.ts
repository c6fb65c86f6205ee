/** The first line of what Git leaves in the place of a large file that was not fetched. */
const BEGINNING = Buffer.from('version https://git-lfs.github.com/spec/');

/** Whether these are the first bytes of a Git LFS pointer. */
export function isLfsPointer(bytes: Uint8Array): boolean {
  return BEGINNING.equals(bytes.subarray(0, BEGINNING.length));
}

/** Behind "got" in an error, and what to do. */
export const LFS_POINTER = {
  actual: 'a Git LFS pointer: the file itself was never fetched',
  remedy: 'Fetch the files of the repository: `git lfs install`, then `git lfs pull` in its folder.',
} as const;
