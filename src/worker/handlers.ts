import { cancelledError } from '../base/errors.ts';
import type { Engine } from '../engine/engine.ts';
import type { DeviceReport, EvaluationProgress } from '../experiment/resultSchema.ts';
import type { RequestParams } from '../protocol/requests.ts';
import type { HostLink } from '../llm/host.ts';
import type { RequestContext, RequestHandlers } from '../protocol/server.ts';
import type { JournalRecord } from '../runs/journalLine.ts';

/** What the worker's requests need of the engine; {@link createHandlers} adds nothing numeric to it. */
export interface WorkerEngine extends Pick<
  Engine,
  | 'evaluate'
  | 'preflight'
  | 'inspect'
  | 'openSearch'
  | 'probe'
  | 'measure'
  | 'openStructure'
  | 'measureRates'
  | 'measureMasks'
  | 'componentScores'
  | 'exportModel'
  | 'measureSpeed'
  | 'verify'
  | 'openSpeed'
  | 'speedRound'
  | 'describe'
  | 'dispose'
> {
  listDevices(): Promise<readonly DeviceReport[]>;
  /** sha-256, hex, of a checkpoint folder as its provenance states it. */
  identifyModel(folder: string, signal: AbortSignal): Promise<string>;
  /** sha-256, hex, of a corpus as its provenance states it. */
  identifyFile(file: string, signal: AbortSignal): Promise<string>;
}

export interface HandlerOptions {
  /** Milliseconds, from any origin; paces progress events. */
  readonly now: () => number;
  /** Drives a run with a pool of further workers; the signal pauses it. */
  readonly search: (params: SearchParams, hooks: SearchHooks) => Promise<'finished' | 'paused'>;
  /** The editor's language model has answered a question of {@link SearchHooks.host}. */
  readonly hostReplied: (call: number, reply: RequestParams<'languageModelReplied'>['reply']) => void;
  /** Called once the reply to `shutdown` is on its way. */
  readonly exit: () => void;
}

export type SearchParams = Omit<RequestParams<'search'>, 'token'>;

export interface SearchHooks {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: EvaluationProgress) => void;
  readonly onEvent: (record: JournalRecord) => void;
  /** The way to the editor's language model; its answers come by `hostReplied`. */
  readonly host: HostLink;
}

/** Events of one evaluation are at least this many milliseconds apart: a person reads no faster. */
const PROGRESS_INTERVAL = 80;

export function createHandlers(engine: WorkerEngine, options: HandlerOptions): RequestHandlers {
  const device = new Turnstile();
  const hooksFor = (token: number, { signal, send }: RequestContext) => ({
    signal,
    onProgress: paced(options.now, (progress) => {
      send('progress', { token, progress });
    }),
  });
  return {
    evaluate: ({ token, plan }, context) =>
      // Two evaluations at a time would share one device and be no faster; they also would not fit into memory.
      device.pass(async () => {
        const { send } = context;
        const results = await engine.evaluate(plan, {
          ...hooksFor(token, context),
          onResult: (result, index) => {
            send('result', { token, index, result });
          },
          onFailure: (error, index) => {
            send('failure', { token, index, error });
          },
        });
        return { results: [...results] };
      }, context.signal),
    preflight: ({ token, plan }, context) =>
      device.pass(async () => ({ preflight: await engine.preflight(plan, hooksFor(token, context)) }), context.signal),
    openSearch: ({ token, plan }, context) =>
      device.pass(async () => ({ opening: await engine.openSearch(plan, hooksFor(token, context)) }), context.signal),
    probe: ({ expressions }, { signal }) =>
      device.pass(async () => ({ outcomes: [...(await engine.probe(expressions, { signal }))] }), signal),
    measure: ({ expressions, begin, end }, { signal }) =>
      device.pass(async () => ({ outcomes: [...(await engine.measure(expressions, begin, end, { signal }))] }), signal),
    openStructure: ({ token, plan }, context) =>
      device.pass(
        async () => ({ opening: await engine.openStructure(plan, hooksFor(token, context)) }),
        context.signal,
      ),
    measureRates: ({ configurations, begin, end }, { signal }) =>
      device.pass(
        async () => ({ outcomes: [...(await engine.measureRates(configurations, begin, end, { signal }))] }),
        signal,
      ),
    measureMasks: ({ masks, on }, { signal }) =>
      device.pass(async () => ({ outcomes: [...(await engine.measureMasks(masks, on, { signal }))] }), signal),
    componentScores: ({ token, score }, context) =>
      device.pass(
        async () => ({ scores: await engine.componentScores(score, hooksFor(token, context)) }),
        context.signal,
      ),
    inspect: ({ token, plan, tensor }, context) =>
      device.pass(
        async () => ({ inspection: await engine.inspect(plan, tensor, hooksFor(token, context)) }),
        context.signal,
      ),
    export: ({ token, plan, target }, context) =>
      device.pass(
        async () => ({ report: await engine.exportModel(plan, target, hooksFor(token, context)) }),
        context.signal,
      ),
    speed: ({ token, plan }, context) =>
      device.pass(
        async () => ({ reports: [...(await engine.measureSpeed(plan, hooksFor(token, context)))] }),
        context.signal,
      ),
    verify: ({ request }, { signal }) =>
      device.pass(async () => ({ verification: await engine.verify(request, signal) }), signal),
    openSpeed: ({ request }, { signal }) =>
      device.pass(async () => ({ subject: await engine.openSpeed(request, signal) }), signal),
    speedRound: (_, { signal }) => device.pass(async () => ({ round: await engine.speedRound(signal) }), signal),
    // The numbers are computed by other processes: this one's device stays free.
    search: async ({ token, ...params }, context) => ({
      outcome: await options.search(params, {
        ...hooksFor(token, context),
        onEvent: (record) => {
          context.send('searchEvent', { token, ...record });
        },
        host: {
          ask: (question) => {
            context.send('languageModelAsked', { token, ...question });
          },
          cancel: (call) => {
            context.send('languageModelCancelled', { token, call });
          },
        },
      }),
    }),
    languageModelReplied: ({ call, reply }) => {
      options.hostReplied(call, reply);
      return Promise.resolve({});
    },
    devices: () => device.pass(async () => ({ devices: [...(await engine.listDevices())] })),
    describe: async ({ model }) => ({ summary: await engine.describe(model) }),
    identify: async ({ models, files }, { signal }) => ({
      models: await eachOrNull(models, (folder) => engine.identifyModel(folder, signal), signal),
      files: await eachOrNull(files, (file) => engine.identifyFile(file, signal), signal),
    }),
    shutdown: async () => {
      await device.pass(() => engine.dispose());
      setImmediate(options.exit);
      return {};
    },
  };
}

/** Passes on what comes at least {@link PROGRESS_INTERVAL} after the last, and what says that all is done. */
function paced(
  now: () => number,
  send: (progress: EvaluationProgress) => void,
): (progress: EvaluationProgress) => void {
  let last = -Infinity;
  return (progress) => {
    const time = now();
    if (time - last < PROGRESS_INTERVAL && progress.done < progress.total) return;
    last = time;
    send(progress);
  };
}

/** One at a time, in the order of arrival. */
class Turnstile {
  private last: Promise<unknown> = Promise.resolve();

  /** Work whose signal is aborted while it waits gives up its place at once. */
  pass<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const giveUp = (): void => {
        reject(cancelledError('waiting for the device'));
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.last = this.last.then(async () => {
        signal?.removeEventListener('abort', giveUp);
        if (signal?.aborted) giveUp();
        else await work().then(resolve, reject);
      });
    });
  }
}

/** What cannot be read has no hash; only cancelling stops the rest. */
async function eachOrNull(
  names: readonly string[],
  identify: (name: string) => Promise<string>,
  signal: AbortSignal,
): Promise<(string | null)[]> {
  const found: (string | null)[] = [];
  for (const name of names) {
    try {
      found.push(await identify(name));
    } catch (error) {
      if (signal.aborted) throw error;
      found.push(null);
    }
  }
  return found;
}
