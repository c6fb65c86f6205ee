/** A model that is open to be asked: what the server needs of it, and nothing of how it computes. */
export interface Served {
  /** What requests may call it; the first is what answers call it. */
  readonly names: readonly string[];
  /** Of all that decides its numbers. */
  readonly fingerprint: string;
  /** Tokens that can be fed: of a sequence, the last may only be predicted. */
  readonly length: number;
  /** Token ids are below it. */
  readonly vocabulary: number;
  /** Ids that end a text. */
  readonly ends: ReadonlySet<number>;
  /**
   * @param special whether the tokens are put around the text that its tokenizer puts there
   * @throws EspalierError `checkpoint/tokenizer`, `cancelled`
   */
  encode(text: string, special: boolean, signal: AbortSignal): Promise<Int32Array>;
  /** The text of whole token ids; of special ones, too. */
  decode(ids: Int32Array): string;
  /** The text of tokens as they come. @param before what they continue */
  textsAfter(before: Int32Array): TokenTexts;
  /** What one token is called: its text amid a text, or its bytes (`bytes:\xe2\x80`) where those are no text. */
  tokenText(id: number): string;
  /**
   * The log-probabilities of tokens that are there.
   *
   * @param top how many of the most probable tokens to name beside each
   * @returns of each sequence one score for each id from `from` on
   * @throws EspalierError `cancelled`, `evaluation/not-finite`, `device/failed`, …
   */
  score(sequences: readonly ScoredIds[], top: number, signal: AbortSignal): Promise<readonly (readonly TokenScore[])[]>;
  /**
   * Continues prompts, each until `most` tokens are there, one of `stops` is in its text, or one of {@link ends} came, which is told, too.
   *
   * @param onToken called with the index of the prompt
   * @param pause called after every few tokens: meanwhile the model may be asked by others
   * @throws EspalierError as {@link score}
   */
  generate(
    asked: Continuing,
    onToken: (prompt: number, token: TokenScore) => void,
    signal: AbortSignal,
    pause: () => Promise<void>,
  ): Promise<void>;
}

export interface TokenTexts {
  /** The text that is certain with one more token: of a character in several tokens none, until the last. */
  push(id: number): string;
  /** What was held back. */
  end(): string;
}

export interface ScoredIds {
  readonly ids: Int32Array;
  /** The first that is scored, at least 1: nothing predicts the very first. */
  readonly from: number;
}

/** A token, and what the model thought of it, in nats. */
export interface TokenScore {
  readonly id: number;
  readonly logProbability: number;
  /** The most probable tokens in its place, most probable first; of equals the lower id. */
  readonly top: readonly RankedToken[];
}

export interface RankedToken {
  readonly id: number;
  readonly logProbability: number;
}

/** How texts are continued. */
export interface Continuing {
  readonly prompts: readonly Int32Array[];
  /** Tokens of each, at most. */
  readonly most: number;
  readonly stops: readonly string[];
  readonly sampling: Sampling;
  /** Most probable tokens to name beside each. */
  readonly top: number;
}

/** How a token is drawn: at temperature 0 the most probable one. */
export interface Sampling {
  readonly temperature: number;
  /** Drawn from the most probable tokens that have this much probability together. */
  readonly topP: number;
  /** Each prompt draws for itself. */
  readonly seed: number;
}
