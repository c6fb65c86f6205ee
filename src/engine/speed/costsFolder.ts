import { readdir, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { canonicalJson } from '../../base/canonicalJson.ts';
import { type ModelTimes, modelTimesSchema } from '../../experiment/costSchema.ts';
import { readText } from '../../files/readBytes.ts';
import { writeWhole } from '../../files/writeWhole.ts';
import { sha256 } from '../checkpoint/hashing.ts';

/** Bytes of one file, and files. */
const [LARGEST, MOST] = [4 << 20, 256];

/**
 * Measured times of block shapes between runs, each under its fingerprint. It can only save time: what is damaged, foreign or not writable in it is left
 * aside, and several processes may use it at once.
 */
export class CostsFolder {
  private readonly folder: string;
  private readonly most: number;

  /** @param cacheFolder the engine's; times lie in a folder of their own in it */
  constructor(cacheFolder: string, most = MOST) {
    this.folder = path.join(cacheFolder, 'costs');
    this.most = most;
  }

  /** Never throws. */
  async find(fingerprint: string): Promise<ModelTimes | undefined> {
    const file = this.fileOf(fingerprint);
    try {
      const { times, check } = JSON.parse(await readText(file, { maxBytes: LARGEST })) as Record<string, unknown>;
      const found = modelTimesSchema.parse(times);
      if (found.fingerprint !== fingerprint || check !== checkOf(found)) return undefined;
      const now = new Date();
      await utimes(file, now, now);
      return found;
    } catch {
      return undefined;
    }
  }

  /** Never throws: what cannot be kept is measured again. */
  async keep(times: ModelTimes): Promise<void> {
    try {
      await writeWhole(this.fileOf(times.fingerprint), JSON.stringify({ times, check: checkOf(times) }));
      await this.tidy();
    } catch {
      // A full disk, a folder that may not be written to.
    }
  }

  /** Removes what was used longest ago until no more than the most are left. */
  private async tidy(): Promise<void> {
    const names = (await readdir(this.folder)).filter((name) => /^[0-9a-f]{64}\.json$/.test(name));
    if (names.length <= this.most) return;
    const used = await Promise.all(
      names.map(async (name) => {
        const file = path.join(this.folder, name);
        return { file, at: await stat(file).then(({ mtimeMs }) => mtimeMs, () => 0) }; // prettier-ignore
      }),
    );
    used.sort((a, b) => b.at - a.at);
    for (const { file } of used.slice(this.most)) await rm(file, { force: true });
  }

  private fileOf(fingerprint: string): string {
    return path.join(this.folder, `${fingerprint}.json`);
  }
}

function checkOf(times: ModelTimes): string {
  return sha256(canonicalJson(times));
}
