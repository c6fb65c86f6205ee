import { EspalierError } from '../base/errors.ts';
import type { Document } from '../tasks/document.ts';
import type { Engine } from '../engine/engine.ts';
import type { RequestHandlers } from '../protocol/server.ts';

/** What the worker's requests need beside the engine. */
export interface WorkerParts extends Pick<RequestHandlers, 'search'> {
  readonly devices: RequestHandlers['devices'];
  /** sha-256, hex, of a checkpoint folder as its provenance states it. */
  readonly identifyModel: (folder: string, signal: AbortSignal) => Promise<string>;
  /** sha-256, hex, of a corpus as its provenance states it. */
  readonly identifyFile: (file: string, signal: AbortSignal) => Promise<string>;
  /** The first documents of a task of one's own, at most so many. */
  readonly firstDocuments: (file: string, most: number, signal: AbortSignal) => Promise<readonly Document['fields'][]>;
  /** Called once the reply to `shutdown` is on its way. */
  readonly exit: () => void;
}

/** A request is answered by the engine's method of its name; the rows are those whose parameters are not that method's. */
export function createHandlers(engine: Engine, parts: WorkerParts): RequestHandlers {
  const { search, devices, identifyModel, identifyFile, firstDocuments, exit } = parts;
  return {
    ...engine,
    inspect: ({ plan, tensor }, hooks) => engine.inspect(plan, tensor, hooks),
    exportModel: ({ plan, target }, hooks) => engine.exportModel(plan, target, hooks),
    readers: ({ plan, layout }) => engine.readers(plan, layout),
    speedRound: (_, hooks) => engine.speedRound(hooks),
    describe: ({ model }) => engine.describe(model),
    search,
    devices,
    identify: async ({ models, files }, { signal }) => ({
      models: await eachOrNull(models, identifyModel, signal),
      files: await eachOrNull(files, identifyFile, signal),
    }),
    firstDocuments: async ({ file }, { signal }) => ({
      documents: shown(await firstDocuments(file, MOST_DOCUMENTS, signal), file),
    }),
    shutdown: async () => {
      await engine.dispose();
      setImmediate(exit);
      return {};
    },
  };
}

const MOST_DOCUMENTS = 8;
/** Characters of documents that are sent to be looked at. */
const MOST_SHOWN = 1 << 20;

/** As many as can be shown. @throws EspalierError `tasks/too-large` where not even one can */
function shown(documents: readonly Document['fields'][], file: string): Document['fields'][] {
  const found: Document['fields'][] = [];
  let length = 0;
  for (const document of documents) {
    length += JSON.stringify(document).length;
    if (length > MOST_SHOWN) break;
    found.push(document);
  }
  if (found.length > 0 || documents.length === 0) return found;
  throw new EspalierError({
    code: 'tasks/too-large',
    operation: `looking at ${file}`,
    expected: `a first document of at most ${MOST_SHOWN} characters`,
    actual: `${length}`,
    remedy: 'Leave out of it what is not asked.',
    file,
  });
}

/** What cannot be read has no hash; only cancelling stops the rest. */
async function eachOrNull(
  names: readonly string[],
  identify: (name: string, signal: AbortSignal) => Promise<string>,
  signal: AbortSignal,
): Promise<(string | null)[]> {
  const found: (string | null)[] = [];
  for (const name of names) {
    try {
      found.push(await identify(name, signal));
    } catch (error) {
      if (signal.aborted) throw error;
      found.push(null);
    }
  }
  return found;
}
