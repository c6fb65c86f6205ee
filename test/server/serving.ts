import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { openCheckpoint } from '../../src/engine/checkpoint/checkpoint.ts';
import { BlockWeights } from '../../src/engine/forward/blockWeights.ts';
import { logitsOf } from '../../src/engine/forward/logits.ts';
import { Device } from '../../src/engine/runtime/device.ts';
import { loadTokenizer } from '../../src/engine/tokenizer/tokenizer.ts';
import type { Tokenizer } from '../../src/engine/tokenizer/tokenizer.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { engineServed } from '../../src/server/engineServed.ts';
import type { Served } from '../../src/server/served.ts';
import { startServer } from '../../src/server/startServer.ts';
import type { RunningServer, ServerOptions } from '../../src/server/startServer.ts';
import { FAMILIES, type FamilyName } from '../support/generate/families.ts';
import { generateCheckpoint } from '../support/generate/generateCheckpoint.ts';

/** A small model behind a server, and beside it the same model to be computed with directly. */
export interface Serving {
  readonly server: RunningServer;
  readonly served: Served;
  readonly tokenizer: Tokenizer;
  readonly folder: string;
  /** Log-probabilities [vocabulary] behind all of the ids, by a pass over exactly these. */
  next(ids: readonly number[]): Promise<Float64Array>;
  /** Another server for the same model. */
  start(options?: Partial<ServerOptions>): Promise<RunningServer>;
  stop(): Promise<void>;
}

export async function serving(family: FamilyName = 'llama-3.1'): Promise<Serving> {
  const folder = await mkdtemp(join(tmpdir(), 'espalier-serve-'));
  await generateCheckpoint(folder, FAMILIES[family]);
  const settings = { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1 } as const;
  const engine = createEngine();
  const model = await engine.openServed({ model: folder, settings, evaluations: [] });
  const served = engineServed(engine, model, ['tiny', folder]);
  const device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
  const checkpoint = await openCheckpoint(folder);
  const weights = new BlockWeights(checkpoint, device, true);
  const servers: RunningServer[] = [];
  const start = async (options: Partial<ServerOptions> = {}): Promise<RunningServer> => {
    const server = await startServer(served, { host: '127.0.0.1', port: 0, special: true, ...options });
    servers.push(server);
    return server;
  };
  return {
    server: await start(),
    served,
    folder,
    tokenizer: await loadTokenizer(folder),
    start,
    async next(ids) {
      const logits = await logitsOf({ checkpoint, weights }, device, Int32Array.from(ids), 1, () => Promise.resolve());
      const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
      return Float64Array.from(logits, (logit) => logit - Math.log(sum));
    },
    async stop() {
      for (const server of servers) await server.close();
      await engine.dispose();
      weights.dispose();
      checkpoint.close();
      await device.dispose();
      await rm(folder, { recursive: true });
    },
  };
}

/** The most probable; of equals the first. */
export function argmax(values: Float64Array): number {
  return values.reduce((best, value, id) => (value > values[best]! ? id : best), 0);
}

export interface Said {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Asks a server for completions as a program does that knows nothing of it. */
export async function post(
  { url }: Pick<RunningServer, 'url'>,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Said> {
  const answer = await fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

/** An answer, as far as tests look at it. */
export interface Completion {
  readonly choices: readonly {
    readonly index: number;
    readonly text: string;
    readonly finish_reason: string | null;
    readonly logprobs: {
      readonly tokens: readonly string[];
      readonly token_logprobs: readonly (number | null)[];
      readonly top_logprobs: readonly (Readonly<Record<string, number>> | null)[];
      readonly text_offset: readonly number[];
    } | null;
  }[];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number };
}

export async function complete(server: Pick<RunningServer, 'url'>, body: object): Promise<Completion> {
  const { status, body: said } = await post(server, body);
  if (status !== 200) throw new Error(JSON.stringify(said));
  return said as Completion;
}

/** The error of an answer, in OpenAI's shape. */
export function errorOf({ body }: Said): {
  readonly code: string;
  readonly param: string | null;
  readonly type: string;
  readonly message: string;
} {
  const { error } = body as { error: { code: string; param: string | null; type: string; message: string } };
  return error;
}
