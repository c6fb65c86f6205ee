import type { Readable, ReaderVerdict } from './readersSchema.ts';

/** How a verdict begins; a table, so that a new one does not compile without words. */
const WORDS: Readonly<Record<Readable, (verdict: ReaderVerdict) => string>> = {
  loads: ({ why }) => `loads as it is: ${why}`,
  'loads-with': ({ with: what, why }) => `loads with ${what ?? 'more'}: ${why}`,
  'after-rounding': ({ roundFor, why }) => `loads after rounding for ${roundFor ?? 'it'}: ${why}`,
  refuses: ({ why }) => `does not load, because ${why}`,
};

/** `loads with --layout deci: …`: what a person is told of one reader. */
export function verdictText(verdict: ReaderVerdict): string {
  return WORDS[verdict.verdict](verdict);
}

/** `loads`, `loads with …`, `after rounding`, `does not load`: for cells and labels. */
export function shortVerdict({ verdict, roundFor }: ReaderVerdict): string {
  switch (verdict) {
    case 'loads':
      return 'loads';
    case 'loads-with':
      return 'loads with a file';
    case 'after-rounding':
      return `after rounding for ${roundFor ?? 'it'}`;
    case 'refuses':
      return 'does not load';
  }
}

/** Readers that can open what is written in a format, and those that cannot. */
export function splitVerdicts(
  verdicts: readonly ReaderVerdict[],
  format: ReaderVerdict['format'],
): { readonly can: readonly ReaderVerdict[]; readonly cannot: readonly ReaderVerdict[] } {
  const ofFormat = verdicts.filter((each) => each.format === format);
  const loads = ({ verdict }: ReaderVerdict): boolean => verdict === 'loads' || verdict === 'loads-with';
  return { can: ofFormat.filter(loads), cannot: ofFormat.filter((each) => !loads(each)) };
}
