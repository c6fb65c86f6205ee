import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the reference, the trained checkpoint and WikiText-2 lie beside a checkout of the project; not part of it. */
export const SHARED = fileURLToPath(new URL('../../../shared', import.meta.url));
export const REFERENCE_MODEL = join(SHARED, 'models', 'wikitext-llama-6m');
export const REFERENCE_TEXT = join(SHARED, 'data', 'wikitext-2', 'wiki.test.raw');
export const REFERENCE_CALIBRATION = join(SHARED, 'data', 'wikitext-2', 'valid.txt');

/** Why tests on the trained checkpoint cannot run here; undefined where they can. */
export function whyNoReferenceModel(): string | undefined {
  const missing = [REFERENCE_MODEL, REFERENCE_TEXT, REFERENCE_CALIBRATION].find((path) => !existsSync(path));
  return missing && `there is no ${missing}`;
}

/** Why the PyTorch reference cannot run here; undefined where it can. */
export function whyNoPeer(): string | undefined {
  if (!existsSync(REFERENCE)) return `there is no ${REFERENCE}`;
  return whyNoReferenceModel() ?? (python() === undefined ? 'no Python here imports torch' : undefined);
}

/** One text and calibration, and what the reference is to evaluate on them. */
export interface PeerRequest {
  readonly length: number;
  readonly samples: number;
  readonly blocks: number;
  readonly evaluations: readonly PeerEvaluation[];
}

/** Without an expression: the dense model. */
export interface PeerEvaluation {
  readonly name: string;
  /** Prefix form, which the reference evaluates as Python. */
  readonly expression?: string;
  readonly share?: number;
  readonly nm?: string;
  readonly calibrate?: 'sequential' | 'one-shot';
  /** Instead of an expression: Wanda-sp at these rates, one for each block. */
  readonly rates?: readonly number[];
  /** Keep the X and G operands and masks. */
  readonly record?: boolean;
}

export interface PeerReply {
  /** Perplexity of each evaluation by name, and the number of `tokens` of the text. */
  readonly values: ReadonlyMap<string, number>;
  /** Of an evaluation with rates: 1 for each group and each channel that a block keeps. */
  readonly kept: ReadonlyMap<string, readonly (readonly [groups: number[], channels: number[]])[]>;
  /** Token ids of the whole text. */
  readonly tokens: Uint32Array;
  /** Of a recorded evaluation: every X, layer after layer in the order of the forward pass. */
  inputs(name: string): Promise<Float32Array>;
  /** Of a recorded evaluation: 1 where a weight goes, layer after layer. */
  masks(name: string): Promise<Uint8Array>;
  /** Of a recorded evaluation that uses G: every G, layer after layer. */
  gradients(name: string): Promise<Float32Array>;
  /** Deletes what the reference wrote. */
  remove(): Promise<void>;
}

/** Runs the reference once on all of `request`: starting it and tokenising cost more than an evaluation. */
export async function askPeer(request: PeerRequest): Promise<PeerReply> {
  const folder = await mkdtemp(join(tmpdir(), 'espalier-peer-'));
  const corpora = { model: REFERENCE_MODEL, text: REFERENCE_TEXT, calibration: REFERENCE_CALIBRATION };
  // One thread: two that wait for each other while other tests hold the cores take ten times as long.
  const output = await runDriver({ ...request, ...corpora, folder, reference: REFERENCE, threads: 1 });
  const lines = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as PeerLine);
  const read = async (file: string) => {
    const bytes = await readFile(join(folder, file));
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  };
  return {
    values: new Map(lines.map(({ name, value }) => [name, value])),
    kept: new Map(lines.flatMap(({ name, kept }) => (kept ? [[name, kept]] : []))),
    tokens: new Uint32Array(await read('tokens')),
    inputs: async (name) => new Float32Array(await read(`${name}.x`)),
    masks: async (name) => new Uint8Array(await read(`${name}.mask`)),
    gradients: async (name) => new Float32Array(await read(`${name}.g`)),
    remove: () => rm(folder, { recursive: true }),
  };
}

/** What the reference of updates is to do: without an expression SparseGPT chooses its own mask. */
export interface RecoveryJob {
  readonly name: string;
  readonly kind: 'sparsegpt' | 'admm';
  readonly expression?: string;
  readonly share?: number;
  readonly nm?: string;
}

export interface RecoveryReply {
  /** Perplexity by the job's name. */
  readonly values: ReadonlyMap<string, number>;
  /** 1 where a weight is zero, layer after layer. */
  masks(name: string): Promise<Uint8Array>;
  remove(): Promise<void>;
}

/** Runs the reference of updates once on all jobs, calibrated block after block. */
export async function askRecoveryPeer(request: {
  readonly length: number;
  readonly samples: number;
  readonly blocks: number;
  readonly jobs: readonly RecoveryJob[];
}): Promise<RecoveryReply> {
  const folder = await mkdtemp(join(tmpdir(), 'espalier-peer-'));
  const corpora = { model: REFERENCE_MODEL, text: REFERENCE_TEXT, calibration: REFERENCE_CALIBRATION };
  const output = await runDriver({ ...request, ...corpora, folder, recovery: RECOVERY, threads: 1 }, RECOVERY_DRIVER);
  const lines = output.trim().split('\n');
  return {
    values: new Map(lines.map((line) => JSON.parse(line) as PeerLine).map(({ name, value }) => [name, value])),
    masks: async (name) => new Uint8Array(await readFile(join(folder, `${name}.mask`))),
    remove: () => rm(folder, { recursive: true }),
  };
}

interface PeerLine {
  readonly name: string;
  readonly value: number;
  readonly kept?: [number[], number[]][];
}

const REFERENCE = join(SHARED, 'peer', 'reference.py');
const DRIVER = fileURLToPath(new URL('reference/driver.py', import.meta.url));
const RECOVERY = join(SHARED, 'peer', 'recovery.py');
const RECOVERY_DRIVER = fileURLToPath(new URL('reference/recoveryDriver.py', import.meta.url));

/** Why the PyTorch reference of updates cannot run here; undefined where it can. */
export function whyNoRecoveryPeer(): string | undefined {
  return existsSync(RECOVERY) ? whyNoPeer() : `there is no ${RECOVERY}`;
}

function runDriver(request: object, driver = DRIVER): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(python()!, [driver], { stdio: ['pipe', 'pipe', 'pipe'] });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`the reference ended with ${String(code)}:\n${errors}`));
    });
    child.stdin.end(JSON.stringify(request));
  });
}

let found: { readonly path: string | undefined } | undefined;

/** A Python that imports torch: ESPALIER_PYTHON, Debian's, or the first on the path. Looked for once. */
export function python(): string | undefined {
  const candidates = [process.env['ESPALIER_PYTHON'], '/usr/bin/python3', 'python3'];
  found ??= { path: candidates.find((path) => path !== undefined && importsTorch(path)) };
  return found.path;
}

function importsTorch(path: string): boolean {
  try {
    execFileSync(path, ['-c', 'import torch, regex, numpy'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
