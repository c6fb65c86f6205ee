import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { checkpointFolders } from '../../files/checkpointFolders.ts';
import { knownTask } from '../../experiment/taskNames.ts';
import type { PlannedTasks } from '../../experiment/taskSchema.ts';
import { isSettled, versionOf } from '../../files/fileVersion.ts';
import type { RequestParams, RequestResult } from '../../protocol/requests.ts';
import type { EvaluationRecord } from '../../runs/evaluationRecord.ts';
import type { Freshness } from './annotations.ts';

/** A checkpoint folder or a text file that results depend on; the path is absolute. */
export interface Input {
  readonly kind: 'model' | 'file';
  readonly path: string;
}

export interface InputHashesOptions {
  /**
   * Whether files that records name may be looked at at all: a record of a repository that nobody has trusted can name any, one on another
   * machine's share for example.
   */
  readonly mayLook: () => boolean;
  /** Remembers between windows which hash a file had when it looked so. */
  readonly memory: { get(): StampedHashes; set(hashes: StampedHashes): void };
  /** Computes hashes in the worker, null for what cannot be read; undefined where that is not allowed now. */
  readonly identify: (asked: RequestParams<'identify'>) => Promise<RequestResult<'identify'> | undefined>;
  readonly onChange: () => void;
  readonly log: (message: string) => void;
}

export type StampedHashes = Readonly<Record<string, { readonly stamp: string; readonly hash: string | null }>>;

/** Entries kept in the memory; the oldest go first. */
const MOST_REMEMBERED = 500;

/**
 * Tells whether the inputs of a result are still what they were. A file that looks unchanged ({@link FileVersion}) has
 * the hash it had then; any other is hashed by the worker. So reopening a file computes nothing.
 */
export class InputHashes {
  private readonly options: InputHashesOptions;
  private readonly hashes: Map<string, { stamp: string; hash: string | null }>;
  /** Stamps as last looked at. */
  private readonly stamps = new Map<string, string>();
  private hashing: Promise<void> = Promise.resolve();
  private readonly asked = new Set<string>();

  constructor(options: InputHashesOptions) {
    this.options = options;
    this.hashes = new Map(Object.entries(options.memory.get()));
  }

  /** As far as is known; {@link look} makes it known. @param root the workspace folder of the record's paths */
  freshness(record: EvaluationRecord, root: string): Freshness {
    const states = inputsOf(record, root).map(({ input, hash }): Freshness => {
      const known = this.hashes.get(keyOf(input));
      if (!known || known.stamp !== this.stamps.get(keyOf(input))) return 'unknown';
      return known.hash === hash ? 'same' : 'changed';
    });
    return states.includes('changed') ? 'changed' : states.includes('unknown') ? 'unknown' : 'same';
  }

  /** Looks at the files again, and has those hashed that look different. `onChange` is called when something new is known. */
  async look(records: readonly EvaluationRecord[], root: string): Promise<void> {
    if (!this.options.mayLook()) return;
    const inputs = new Map(
      records.flatMap((record) => inputsOf(record, root).map(({ input }) => [keyOf(input), input] as const)),
    );
    const unknown: Stamped[] = [];
    let changed = false;
    for (const [key, input] of inputs) {
      const stamp = await stampOf(input);
      changed ||= this.stamps.get(key) !== stamp;
      this.stamps.set(key, stamp);
      if (stamp === MISSING) this.hashes.set(key, { stamp, hash: null });
      else if (this.hashes.get(key)?.stamp !== stamp && !this.asked.has(`${key} ${stamp}`)) {
        this.asked.add(`${key} ${stamp}`);
        unknown.push({ input, stamp });
      }
    }
    if (changed) this.options.onChange();
    if (unknown.length > 0) await this.hash(unknown);
  }

  /** How an input looks now; to be given to {@link learn} once its hash is known. */
  stamp(input: Input): Promise<string> {
    return stampOf(input);
  }

  /** An evaluation has read this input: it had this hash, and looked so before. Nothing is learnt if it has changed meanwhile. */
  async learn(input: Input, stamp: string, hash: string): Promise<void> {
    const now = await stampOf(input);
    this.stamps.set(keyOf(input), now);
    if (lookOf(now) !== lookOf(stamp)) return;
    this.remember(input, now, hash);
    this.options.onChange();
  }

  private async hash(batch: readonly Stamped[]): Promise<void> {
    this.hashing = this.hashing.then(async () => {
      const [models, files] = (['model', 'file'] as const).map((kind) =>
        batch.filter(({ input }) => input.kind === kind),
      );
      const answer = await this.options
        .identify({
          models: models!.map(({ input }) => input.path),
          files: files!.map(({ input }) => input.path),
        })
        .catch((error: unknown) => {
          this.options.log(`the inputs of earlier results could not be checked: ${String(error)}`);
          return undefined;
        });
      for (const { input, stamp } of batch) this.asked.delete(`${keyOf(input)} ${stamp}`);
      if (!answer) return;
      for (const [i, { input, stamp }] of models!.entries()) this.remember(input, stamp, answer.models[i] ?? null);
      for (const [i, { input, stamp }] of files!.entries()) this.remember(input, stamp, answer.files[i] ?? null);
      this.options.onChange();
    });
    await this.hashing;
  }

  private remember(input: Input, stamp: string, hash: string | null): void {
    const key = keyOf(input);
    this.hashes.delete(key);
    this.hashes.set(key, { stamp, hash });
    const entries = [...this.hashes].slice(-MOST_REMEMBERED);
    this.options.memory.set(Object.fromEntries(entries));
  }
}

interface Stamped {
  readonly input: Input;
  readonly stamp: string;
}

const MISSING = 'missing';

/** What a result depends on, with the hashes that they had. */
function inputsOf(
  { model, text, calibration, gradients, train, validate, tasks, result }: EvaluationRecord,
  root: string,
): { input: Input; hash: string }[] {
  const { modelHash, textHash, calibrationHash, gradientsHash, trainHash, validateHash } = result.provenance;
  const absolute = (file: string): string => path.resolve(root, file);
  const used = (file: string | undefined, hash: string | undefined): { input: Input; hash: string }[] =>
    file === undefined || hash === undefined ? [] : [{ input: { kind: 'file', path: absolute(file) }, hash }];
  return [
    { input: { kind: 'model', path: absolute(model) }, hash: modelHash },
    ...used(text, textHash),
    ...used(calibration, calibrationHash),
    ...used(gradients, gradientsHash),
    ...used(train, trainHash),
    ...used(validate, validateHash),
    ...taskFiles(tasks).flatMap(({ documents, place }) => used(documents, result.tasks?.[place]?.documentsHash)),
  ];
}

/** The files with documents, whose hash a result has at the same place. Of MMLU it may be a folder, whose hash is of many files. */
export function taskFiles(
  tasks: PlannedTasks | undefined,
): readonly { readonly documents: string; readonly place: number }[] {
  return (tasks?.list ?? []).flatMap(({ task, documents }, place) =>
    documents === undefined || knownTask(task)?.row === 'mmlu' ? [] : [{ documents, place }],
  );
}

function keyOf({ kind, path: file }: Input): string {
  return `${kind} ${file}`;
}

/**
 * The looks of what the hash is taken over. A file that was written to a moment ago could be written to again and look the same: its stamp
 * has the time in it, so that the next look finds another and has it hashed again.
 */
async function stampOf(input: Input): Promise<string> {
  try {
    if (input.kind === 'file') return await stampOfFile(input.path);
    const stamps: string[] = [];
    for (const folder of await checkpointFolders(input.path)) {
      for (const name of (await readdir(folder)).filter((each) => DECIDES.test(each)).sort()) {
        stamps.push(`${name} ${await stampOfFile(path.join(folder, name))}`);
      }
    }
    return stamps.length === 0 ? MISSING : stamps.join(', ');
  } catch {
    return MISSING;
  }
}

/** Files that a checkpoint's hash is taken over, or that say which those are. */
const DECIDES = /^(config|tokenizer|tokenizer_config|adapter_config)\.json$|\.safetensors(\.index\.json)?$/;

async function stampOfFile(file: string): Promise<string> {
  const version = versionOf(await stat(file, { bigint: true }));
  const now = Date.now();
  return `${Object.values(version).join(' ')}${isSettled(version, now) ? '' : `${UNSETTLED}${now}`}`;
}

const UNSETTLED = ' seen at ';

/** A stamp without the times at which it was taken. */
function lookOf(stamp: string): string {
  return stamp.replaceAll(new RegExp(`${UNSETTLED}\\d+`, 'g'), '');
}
