import { EspalierError } from '../../base/errors.ts';
import type { SampleSettings } from '../../experiment/settings.ts';
import { cutSamples } from '../corpus/cutSamples.ts';
import { DataSet, type TextSource } from '../corpus/dataSet.ts';
import { drawDocuments } from '../corpus/drawDocuments.ts';
import { RowSpool } from '../corpus/rowSpool.ts';
import { areOfDocuments, type Samples } from '../corpus/samples.ts';
import { readTokenizer, type UncompiledTokenizer } from '../tokenizer/tokenizer.ts';
import type { LoadedModel } from './loadedModels.ts';
import { type TextCounts, TokenFolder } from './tokenFolder.ts';
import { type OfFile, TokenisedText } from './tokenisedText.ts';

/** Whose tokens. */
export interface TokenizerOf {
  /** The checkpoint's. */
  readonly folder: string;
  /** Rows of the checkpoint's embedding. */
  readonly vocabulary: number;
  /** Of the tokenizer that the number will say it is of, where there is one. */
  readonly identity?: string;
}

/** The tokenizer of a model as it was identified. */
export function tokenizerOf({ checkpoint, tokenizer }: LoadedModel): TokenizerOf {
  return { folder: checkpoint.tokenizerFolder, vocabulary: checkpoint.config.vocabulary, identity: tokenizer };
}

/** What is read of a data set, and how. */
export interface TokenHooks {
  readonly signal?: AbortSignal | undefined;
  /** Of what is being done: bytes that are read, characters that are tokenised, samples that are drawn. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Calibration samples of a data set. */
export interface TokenisedSamples extends Samples, OfFile {
  /** Token ids of the whole text that they are cut out of; of documents undefined. */
  readonly ids: Int32Array | undefined;
}

/** Texts, and sets of samples, that are kept: an editor evaluates the same two again and again. */
const LIMIT = 4;

/** Token ids of the last few texts and samples, looked up by content, never by name. */
export class TokenCache {
  private readonly texts = new Map<string, TokenisedText>();
  private readonly samplesOfDocuments = new Map<string, TokenisedSamples>();
  private readonly cacheFolder: string | undefined;
  private readonly folder: TokenFolder | undefined;

  /** @param options.cacheFolder where hashes of large files and tokens of texts are kept, and rows while samples are drawn of them */
  constructor({ cacheFolder }: { readonly cacheFolder?: string | undefined } = {}) {
    this.cacheFolder = cacheFolder;
    this.folder = cacheFolder === undefined ? undefined : new TokenFolder(cacheFolder);
  }

  /**
   * A text whose token ids can be asked for.
   *
   * @throws EspalierError `corpus/…`, or `checkpoint/tokenizer` for a tokenizer that is no longer what the checkpoint was identified with;
   * for ids that the embedding has no row for, when they are asked for
   */
  async text(model: TokenizerOf, source: TextSource, hooks: TokenHooks = {}): Promise<TokenisedText> {
    const tokenizer = await tokenizerFor(model);
    return this.withData(source, hooks, async (data) => {
      const of = { textHash: data.hash, rows: data.countingRows(true) };
      return kept(this.texts, [tokenizer.identity, model.vocabulary, of], async () => {
        const key = { tokenizer: tokenizer.identity, vocabulary: model.vocabulary, ...of };
        const known = await this.folder?.find(key);
        if (known && known.ids.length === known.counts.tokens) return new TokenisedText(of, { known });
        const text = await data.text(hooks);
        const source = {
          text,
          encode: () => tokenizer.compile(model).encoding(text),
          remember: async (ids: Int32Array, counts: TextCounts) => this.folder?.remember(key, ids, counts),
        };
        return new TokenisedText(of, { known, source });
      });
    });
  }

  /**
   * Calibration samples: cut out of the rows joined to a text, or out of documents.
   *
   * @throws EspalierError as {@link text}, `corpus/too-short`, `settings/invalid`, `io/write`
   */
  async samples(
    model: TokenizerOf,
    source: TextSource,
    settings: SampleSettings,
    hooks: TokenHooks = {},
  ): Promise<TokenisedSamples> {
    const { samples, length, offsets, seed } = settings;
    if (!areOfDocuments(offsets)) {
      const text = await this.text(model, source, hooks);
      const { textHash, rows } = text;
      // Where they begin is drawn from how many tokens there are.
      const ids = await text.ids(hooks);
      return { ...cutSamples(ids, { samples, length, offsets, seed }, source.file), ids, textHash, rows };
    }
    const tokenizer = await tokenizerFor(model);
    return this.withData(source, hooks, async (data) => {
      const of = { textHash: data.hash, rows: data.countingRows(false) };
      const key = [tokenizer.identity, model.vocabulary, of, samples, length, offsets, seed];
      return kept(this.samplesOfDocuments, key, async () => {
        const compiled = tokenizer.compile(model);
        const encode = (text: string): Promise<Int32Array> => compiled.encodeAsync(text, { signal: hooks.signal });
        const rows = await RowSpool.write(data.rows(hooks), this.cacheFolder);
        try {
          const asked = { samples, length, offsets, seed };
          return { ...(await drawDocuments(rows, asked, source.file, { ...hooks, encode })), ...of, ids: undefined };
        } finally {
          await rows.dispose();
        }
      });
    });
  }

  private async withData<Result>(
    source: TextSource,
    { signal }: TokenHooks,
    use: (data: DataSet) => Promise<Result>,
  ): Promise<Result> {
    const data = await DataSet.open(source, { cacheFolder: this.cacheFolder, signal });
    try {
      return await use(data);
    } finally {
      await data.close();
    }
  }
}

async function tokenizerFor({ folder, identity }: TokenizerOf): Promise<UncompiledTokenizer> {
  const tokenizer = await readTokenizer(folder);
  if (identity !== undefined && tokenizer.identity !== identity) throw changed(folder);
  return tokenizer;
}

async function kept<Value>(
  known: Map<string, Value>,
  parts: readonly unknown[],
  make: () => Promise<Value>,
): Promise<Value> {
  const key = JSON.stringify(parts);
  const found = known.get(key);
  if (found) return found;
  const made = await make();
  known.set(key, made);
  if (known.size > LIMIT) known.delete(known.keys().next().value!);
  return made;
}

function changed(folder: string): EspalierError {
  return new EspalierError({
    code: 'checkpoint/tokenizer',
    operation: `reading the tokenizer of ${folder}`,
    expected: 'tokenizer.json and tokenizer_config.json as they were when the checkpoint was identified',
    actual: 'others, written since',
    remedy: 'Evaluate again, once nothing writes to the checkpoint any more.',
    file: folder,
  });
}
