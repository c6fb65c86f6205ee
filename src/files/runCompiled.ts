import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire, Module } from 'node:module';
import path from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { constants, Script } from 'node:vm';
import { createFileSync, openToReadSync } from './openRegular.ts';
import { removeTemporarySync, temporaryBeside } from './temporary.ts';

/** Bytes of an entry; those of our bundles have 3 MB. */
const LARGEST = 64 << 20;
/** Entries that are kept: of several programs, commands and versions of V8. */
const KEPT = 8;
/** Milliseconds after which a program that stays has used what it will use. */
const SETTLED = 10_000;

/**
 * Runs a bundle of our own as Node runs a module, with the machine code that V8 made of it the last time: parsing two megabytes and compiling what is
 * used of them takes longer than all else at the start. Kept are the functions that were used until the program ended, or had run for a while.
 *
 * V8 compares neither a source's text nor its own data's: an entry is named after the hash of the source and what V8 says that its data depend on, and has
 * a checksum. As it is run, it must be this user's, and writable by nobody else. It can only save time: what is not as it must be is left aside.
 *
 * @param file of the bundle: CommonJS
 * @param name what is told apart by what it uses of the bundle
 * @param cacheFolder undefined: nothing is kept
 */
export function runCompiled(file: string, name: string, cacheFolder: string | undefined): void {
  const source = readFileSync(file);
  const folder = cacheFolder === undefined ? undefined : path.join(cacheFolder, 'compiled');
  const key = sha256(sha256(source), JSON.stringify([process.version, process.arch, cachedDataVersionTag()]));
  const entry = folder === undefined ? undefined : path.join(folder, `${name}-${key.toString('hex')}`);
  const cachedData = entry === undefined ? undefined : read(entry, key);
  const script = new Script(wrapped(source.toString()), {
    filename: file,
    ...(cachedData && { cachedData }),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  if (folder !== undefined && entry !== undefined && (!cachedData || script.cachedDataRejected)) {
    const keep = (): void => {
      clearTimeout(timer);
      process.off('exit', keep);
      write(folder, entry, key, script.createCachedData());
    };
    const timer = setTimeout(keep, SETTLED).unref();
    process.once('exit', keep);
  }
  const module = { exports: {} };
  const run = script.runInThisContext() as (...of: readonly unknown[]) => void;
  run.call(module.exports, module.exports, createRequire(file), module, file, path.dirname(file));
}

/** A first line for the shell is none to V8 within a function. */
function wrapped(source: string): string {
  return Module.wrap(source.startsWith('#!') ? `//${source}` : source);
}

function read(entry: string, key: Buffer): Buffer | undefined {
  try {
    const descriptor = openToReadSync(entry, { links: 'refuse' });
    try {
      const { size, uid, mode } = fstatSync(descriptor);
      const isOurs = process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
      if (!isOurs || size > LARGEST) return undefined;
      const content = readFileSync(descriptor);
      const data = content.subarray(CHECK);
      return sha256(key, data).equals(content.subarray(0, CHECK)) ? data : undefined;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}

/** Not flushed: what a crash cuts off has another checksum. */
function write(folder: string, entry: string, key: Buffer, data: Buffer): void {
  try {
    makeOwn(folder);
    const temporary = temporaryBeside(entry);
    try {
      const descriptor = createFileSync(temporary);
      try {
        writeFileSync(descriptor, Buffer.concat([sha256(key, data), data]));
      } finally {
        closeSync(descriptor);
      }
      renameSync(temporary, entry);
    } finally {
      removeTemporarySync(temporary);
    }
    tidy(folder);
  } catch {
    // What cannot be kept is compiled again.
  }
}

/** The cache folder itself is made by who has something to remember there. */
function makeOwn(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function tidy(folder: string): void {
  const entries = readdirSync(folder)
    .filter((name) => /^\w+-[0-9a-f]{64}$/.test(name))
    .map((name) => path.join(folder, name))
    .map((file) => ({ file, written: statSync(file).mtimeMs }))
    .sort((a, b) => b.written - a.written);
  for (const { file } of entries.slice(KEPT)) rmSync(file, { force: true });
}

const CHECK = 32;

function sha256(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
