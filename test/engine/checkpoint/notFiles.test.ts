import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { loadCorpus } from '../../support/loadCorpus.ts';
import { hashFile } from '../../../src/engine/checkpoint/hashing.ts';
import { loadTokenizer } from '../../../src/engine/tokenizer/tokenizer.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { TINY_LLAMA } from './tinyConfigs.ts';

const root = mkdtempSync(path.join(tmpdir(), 'espalier-not-files-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

let folder: string;
let count = 0;
beforeEach(() => {
  folder = path.join(root, `${count++}`);
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(TINY_LLAMA));
  writeFileSync(path.join(folder, 'model.safetensors'), Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d));
});

const MAKE: Readonly<Record<string, (file: string) => void>> = {
  'a pipe that nobody writes to': (file) => {
    execFileSync('mkfifo', [file]);
  },
  'a device without end': (file) => {
    symlinkSync('/dev/zero', file);
  },
  'a folder': (file) => {
    mkdirSync(file);
  },
  'a link to nothing': (file) => {
    symlinkSync('nowhere', file);
  },
  'a link to itself': (file) => {
    symlinkSync(file, file);
  },
};

const USES: Readonly<Record<string, () => Promise<unknown>>> = {
  'config.json': () => openCheckpoint(folder),
  'model.safetensors': () => openCheckpoint(folder),
  'model.safetensors.index.json': () => {
    rmSync(path.join(folder, 'model.safetensors'));
    return openCheckpoint(folder);
  },
  'tokenizer.json': () => loadTokenizer(folder),
  'text.txt': () => loadCorpus(path.join(folder, 'text.txt')),
  'file.bin': () => hashFile(path.join(folder, 'file.bin')),
};

describe.skipIf(process.platform === 'win32')(
  'where a file should be (skipped on Windows, which has none of these)',
  () => {
    const cases = Object.keys(MAKE).flatMap((what) => Object.keys(USES).map((name) => [what, name] as const));
    it.each(cases)(
      '%s in place of %s is an error at once',
      async (what, name) => {
        rmSync(path.join(folder, name), { force: true });
        MAKE[what]!(path.join(folder, name));
        const failure = await failureOf(USES[name]!);
        expect(failure.code).toMatch(/^(checkpoint|corpus|io)\//);
        expect(failure.data.file).toContain(folder);
      },
      5000,
    );
  },
);
