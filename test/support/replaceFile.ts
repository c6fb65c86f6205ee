import { rmSync, writeFileSync } from 'node:fs';

/** Writes a file anew: on some file systems overwriting one waits for the disk, which thousands of cases would feel. */
export function replaceFile(file: string, content: string | Uint8Array): void {
  rmSync(file, { force: true });
  writeFileSync(file, content);
}
