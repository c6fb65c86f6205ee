import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { sweepTemporaries } from '../../files/temporary.ts';
import { GradientWriter, StoredGradients, USED } from './storedGradients.ts';

/** Bytes of gradients that are kept on disk; the folder that was used last stays whatever its size. */
const GRADIENT_CACHE_LIMIT = 16 * 2 ** 30;

/** Where gradients are kept between runs, each under its fingerprint; several processes may use it at once. */
export class GradientFolder {
  private readonly folder: string;
  private readonly limit: number;

  /** @param cacheFolder the engine's; gradients lie in a folder of their own in it */
  constructor(cacheFolder: string, limit = GRADIENT_CACHE_LIMIT) {
    this.folder = path.join(cacheFolder, 'gradients');
    this.limit = limit;
  }

  /** What is kept under a fingerprint. What is damaged is removed. */
  async find(fingerprint: string, depth: number): Promise<StoredGradients | undefined> {
    const entry = path.join(this.folder, fingerprint);
    const found = await StoredGradients.open(entry, fingerprint, depth);
    if (!found) await rm(entry, { recursive: true, force: true }).catch(() => undefined);
    return found;
  }

  /** @throws EspalierError `io/write` */
  async writer(fingerprint: string): Promise<GradientWriter> {
    // Before there is as much again.
    await sweepTemporaries(this.folder);
    return GradientWriter.create(path.join(this.folder, fingerprint), fingerprint);
  }

  /** Removes what was used longest ago until the rest is within the limit, and what a process that is gone has left half done. */
  async tidy(): Promise<void> {
    const names = await readdir(this.folder).catch(() => []);
    await sweepTemporaries(this.folder);
    const entries = await Promise.all(names.filter((name) => !name.endsWith('.tmp')).map((name) => this.entry(name)));
    entries.sort((a, b) => b.used - a.used);
    let total = 0;
    for (const [index, { name, bytes }] of entries.entries()) {
      total += bytes;
      if (index > 0 && total > this.limit) await this.remove(name);
    }
  }

  private async entry(name: string): Promise<{ name: string; bytes: number; used: number }> {
    const folder = path.join(this.folder, name);
    const files = await readdir(folder).catch(() => []);
    const sizes = await Promise.all(
      files.map((file) =>
        stat(path.join(folder, file)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
    const used = await stat(path.join(folder, USED)).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
    return { name, bytes: sizes.reduce((sum, size) => sum + size, 0), used };
  }

  private async remove(name: string): Promise<void> {
    await rm(path.join(this.folder, name), { recursive: true, force: true }).catch(() => undefined);
  }
}
