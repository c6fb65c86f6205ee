import type { ProtocolName } from './protocols.ts';
import type { Provenance } from './resultSchema.ts';
import { printSparsity } from './sparsity.ts';
import type { Sparsity } from './sparsitySchema.ts';

/** What a paper published for the same model, method and sparsity under the same protocol: a help to a reader, never a check. */
export interface PublishedFigure {
  readonly perplexity: number;
  /** Where it stands: "Wanda, README, LLaMA-2 results". */
  readonly source: string;
}

/** The methods of which there are figures: the dense model, metrics of single weights, and whole heads and channels. */
export type PublishedMethod = 'dense' | 'magnitude' | 'wanda' | 'wanda-sp' | 'wanda-sp, owl (5, 0.08)';

/** @returns undefined where the protocol does not hold entirely, or nothing is known of it */
export function publishedFigure(
  { model, protocol, deviations = [] }: Pick<Provenance, 'model' | 'protocol' | 'deviations'>,
  method: PublishedMethod,
  sparsity: Sparsity | undefined,
): PublishedFigure | undefined {
  if (protocol === undefined || deviations.length > 0) return undefined;
  const name = knownModel(model);
  if (name === undefined) return undefined;
  const at = sparsity === undefined ? 'dense' : printSparsity(sparsity);
  for (const { source, protocols, perplexities } of TABLES) {
    const perplexity = perplexities[name]?.[`${method} ${at}`];
    if (perplexity !== undefined && protocols.some((known) => known === protocol)) return { perplexity, source };
  }
  return undefined;
}

/**
 * `llama-2-7b` of `/models/Llama-2-7b-hf`, of `hf:meta-llama/Llama-2-7b-hf@main` and of a snapshot in the hub's cache. Only whole names count:
 * what has been trained further (`-chat`, `-instruct`) is another model.
 */
function knownModel(model: string): string | undefined {
  const file = model.replaceAll('\\', '/').replace(/\/+$/, '');
  const cached = /\/models--(?:[^/]+--)?([^/]+?)(?:\/snapshots\/[^/]+)?$/.exec(file)?.[1];
  const name =
    cached ??
    file
      .replace(/^hf:/, '')
      .replace(/@[^/@]*$/, '')
      .split('/')
      .at(-1)!;
  const plain = name.toLowerCase().replaceAll('_', '-').replace(/-hf$/, '');
  return NAMES.find(([pattern]) => pattern.test(plain))?.[1];
}

const NAMES: readonly (readonly [pattern: RegExp, name: string])[] = ['7b', '13b', '70b'].map(
  (size) => [new RegExp(`^(?:meta-)?llama-?2-${size}$`), `llama-2-${size}`] as const,
);

interface PublishedTable {
  readonly source: string;
  /** Under which it was computed, or which say the same for these methods. */
  readonly protocols: readonly ProtocolName[];
  /** By model, then by method and sparsity. */
  readonly perplexities: Readonly<Record<string, Readonly<Partial<Record<string, number>>>>>;
}

const TABLES: readonly PublishedTable[] = [
  {
    // https://github.com/locuslab/wanda, README.md.
    source: 'Wanda, README, LLaMA-2 results',
    protocols: ['wanda', 'pruner-zero'],
    perplexities: {
      'llama-2-7b': {
        ...{ 'dense dense': 5.12, 'magnitude 50%': 14.89, 'wanda 50%': 6.42 },
        ...{ 'magnitude 4:8': 16.48, 'wanda 4:8': 7.97, 'magnitude 2:4': 54.59, 'wanda 2:4': 11.02 },
      },
      'llama-2-13b': {
        ...{ 'dense dense': 4.57, 'magnitude 50%': 6.37, 'wanda 50%': 5.56 },
        ...{ 'magnitude 4:8': 6.76, 'wanda 4:8': 6.55, 'magnitude 2:4': 8.33, 'wanda 2:4': 8.27 },
      },
      'llama-2-70b': {
        ...{ 'dense dense': 3.12, 'magnitude 50%': 4.98, 'wanda 50%': 3.98 },
        ...{ 'magnitude 4:8': 5.58, 'wanda 4:8': 4.47, 'magnitude 2:4': 6.33, 'wanda 2:4': 5.16 },
      },
    },
  },
  {
    source: 'Self-Pruner, comparison on LLaMA-2-7B',
    protocols: ['self-pruner'],
    perplexities: {
      'llama-2-7b': {
        ...{ 'dense dense': 5.12, 'wanda-sp 20%': 12.01, 'wanda-sp 30%': 24.53, 'wanda-sp 40%': 38.65 },
        ...{ 'wanda-sp 50%': 249.18, 'wanda-sp, owl (5, 0.08) 30%': 21.4, 'wanda-sp, owl (5, 0.08) 50%': 81.56 },
      },
    },
  },
];
