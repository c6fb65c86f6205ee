import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import type { FamilyName } from './generate/families.ts';
import { temporaryFamily, type TemporaryFamily } from './generate/temporaryFamily.ts';

/** What tests of exports work with. */
export interface ExportTests {
  /** Its own kind stands for the fresh process that checks what was written. */
  readonly engine: Engine;
  /** Where the test at hand writes to: not there yet, alone in its parent. */
  readonly folder: string;
  /** Made once for all tests of the file. */
  family(name: FamilyName): Promise<TemporaryFamily>;
}

/** Sets tests of exports up, for the whole file that calls it. @param name of each test's folder */
export function exportTests(name: string): ExportTests {
  let [root, folder] = ['', ''];
  let engine: Engine;
  const families = new Map<FamilyName, TemporaryFamily>();
  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'espalier-export-'));
    engine = createEngine({ startFresh: () => createEngine() });
  });
  afterAll(async () => {
    await engine.dispose();
    for (const family of families.values()) await family.remove();
    await rm(root, { recursive: true });
  });
  beforeEach(async () => {
    folder = path.join(await mkdtemp(path.join(root, 'test-')), name);
  });
  return {
    get engine() {
      return engine;
    },
    get folder() {
      return folder;
    },
    async family(wanted) {
      const family = families.get(wanted) ?? (await temporaryFamily(wanted));
      families.set(wanted, family);
      return family;
    },
  };
}
