import { setImmediate } from 'node:timers/promises';
import { EspalierError, throwIfCancelled } from '../../base/errors.ts';
import { PythonRandom } from '../../base/pythonRandom.ts';
import { requirePrediction } from './cutSamples.ts';
import type { RowSpool } from './rowSpool.ts';
import type { SampleSettings } from '../../experiment/settings.ts';
import type { Samples } from './samples.ts';

type DocumentSettings = SampleSettings & { readonly offsets: 'documents' | 'documents-once' };

export interface DrawHooks {
  /** Token ids of a text by itself, special tokens around it, as `tokenizer(text)` gives them. */
  readonly encode: (text: string) => Promise<Int32Array>;
  readonly signal?: AbortSignal | undefined;
  /** Samples drawn. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

interface Drawing {
  /** Tokens that a document has at least. */
  readonly least: (length: number) => number;
  /** Whether a document is drawn once at most. */
  readonly once: boolean;
  /** The last token that a sample may begin at. */
  readonly lastBegin: (tokens: number, length: number) => number;
}

const DRAWINGS: Readonly<Record<DocumentSettings['offsets'], Drawing>> = {
  // get_c4 of Wanda (lib/data.py), FLAP and Pruner-Zero. SparseGPT's (datautils.py) takes documents of exactly `length` tokens, too, and
  // fails on them: there is nothing from 0 to -1.
  documents: { least: (length) => length + 1, once: false, lastBegin: (tokens, length) => tokens - length - 1 },
  // get_c4 and get_bookcorpus of LLM-Pruner (LLMPruner/datasets/example_samples.py), with its history of those that were drawn.
  'documents-once': { least: (length) => length, once: true, lastBegin: (tokens, length) => tokens - length },
};

/**
 * Samples as the papers' code draws them of C4: for each a document by `randint(0, n - 1)`, again until one is long enough; then where it
 * begins in it. No document is tokenised twice that was too short, and so it ends where none is left: there the papers' code goes on for ever.
 *
 * @throws EspalierError `corpus/too-short` where too few documents are long enough, `settings/invalid`, `cancelled`
 */
export async function drawDocuments(
  documents: RowSpool,
  settings: DocumentSettings,
  file: string,
  { encode, signal, onProgress }: DrawHooks,
): Promise<Samples> {
  const { samples, length, seed, offsets } = settings;
  requirePrediction(length);
  const { least, once, lastBegin } = DRAWINGS[offsets];
  const random = new PythonRandom(seed);
  const unfit = new Unfit(documents.count);
  const drawn = { tokens: [] as Int32Array[], begins: [] as number[], documents: [] as number[] };
  let longest = 0;
  for (let turn = 1; drawn.tokens.length < samples; turn++) {
    if (turn % TURN === 0) {
      await setImmediate();
      throwIfCancelled(signal, 'drawing calibration samples');
    }
    if (unfit.isAll) throw tooFew(file, settings, least(length), drawn.tokens.length, documents.count, longest);
    const document = random.integer(0, documents.count - 1);
    if (unfit.has(document)) continue;
    const ids = await encode(await documents.row(document));
    longest = Math.max(longest, ids.length);
    const isLongEnough = ids.length >= least(length);
    if (!isLongEnough || once) unfit.add(document);
    if (!isLongEnough) continue;
    const begin = random.integer(0, lastBegin(ids.length, length));
    drawn.tokens.push(ids.slice(begin, begin + length));
    drawn.begins.push(begin);
    drawn.documents.push(document);
    onProgress?.(drawn.tokens.length, samples);
  }
  return drawn;
}

/** Draws between two looks at whether to stop. */
const TURN = 64;

/** Documents that are not to be drawn any more: a bit for each. */
class Unfit {
  private readonly bits: Uint8Array;
  private left: number;

  constructor(count: number) {
    this.bits = new Uint8Array(Math.ceil(count / 8));
    this.left = count;
  }

  get isAll(): boolean {
    return this.left === 0;
  }

  has(document: number): boolean {
    return (this.bits[document >>> 3]! & (1 << (document & 7))) !== 0;
  }

  add(document: number): void {
    this.bits[document >>> 3]! |= 1 << (document & 7);
    this.left--;
  }
}

function tooFew(
  file: string,
  { samples, offsets }: DocumentSettings,
  least: number,
  drawn: number,
  count: number,
  longest: number,
): EspalierError {
  return new EspalierError({
    code: 'corpus/too-short',
    operation: 'drawing calibration samples',
    expected:
      offsets === 'documents-once'
        ? `${samples} documents of at least ${least} tokens`
        : `a document of at least ${least} tokens`,
    actual: `${drawn === 0 ? 'none' : drawn} among ${count} rows; the longest has ${longest} tokens`,
    remedy: 'Choose a smaller length of samples, other data, or offsets of joined rows.',
    file,
  });
}
