import { EspalierError } from '../base/errors.ts';

/** A piece of a text in one of the two fonts: bytes as characters. */
export interface PdfRun {
  readonly font: 'letters' | 'symbols';
  readonly bytes: string;
  /** The same in Unicode. */
  readonly text: string;
}

/** Where a font for letters has characters beyond Latin-1: WinAnsiEncoding, and a minus sign that {@link DIFFERENCES} put there. */
const LETTERS: Readonly<Record<string, number>> = {
  ...{ '€': 128, '‚': 130, ƒ: 131, '„': 132, '…': 133, '†': 134, '‡': 135, ˆ: 136, '‰': 137, Š: 138, '‹': 139, Œ: 140 },
  ...{
    Ž: 142,
    '‘': 145,
    '’': 146,
    '“': 147,
    '”': 148,
    '•': 149,
    '–': 150,
    '—': 151,
    '˜': 152,
    '™': 153,
    š: 154,
    '›': 155,
  },
  ...{ œ: 156, ž: 158, Ÿ: 159, '−': 129 },
};
/** What a font for letters has at places that WinAnsiEncoding leaves free. */
export const DIFFERENCES = '129 /minus';

/** Where the font Symbol has its characters. */
const SYMBOLS: Readonly<Record<string, number>> = {
  ...{ '≈': 0xbb, '≠': 0xb9, '≤': 0xa3, '≥': 0xb3, '∞': 0xa5, '√': 0xd6, '∂': 0xb6, '∇': 0xd1, '∈': 0xce, '∏': 0xd5 },
  ...{ '∑': 0xe5, '←': 0xac, '↑': 0xad, '→': 0xae, '↓': 0xaf, α: 0x61, β: 0x62, γ: 0x67, δ: 0x64, ε: 0x65, η: 0x68 },
  ...{ θ: 0x71, κ: 0x6b, λ: 0x6c, μ: 0x6d, π: 0x70, ρ: 0x72, σ: 0x73, τ: 0x74, φ: 0x66, χ: 0x63, ψ: 0x79, ω: 0x77 },
  ...{ Γ: 0x47, Δ: 0x44, Θ: 0x51, Λ: 0x4c, Π: 0x50, Σ: 0x53, Φ: 0x46, Ω: 0x57 },
};

/**
 * A text in the fonts that every reader of PDF has.
 *
 * @throws EspalierError `figure/characters`: they lack one of its characters
 */
export function pdfRuns(text: string): PdfRun[] {
  const runs: { font: PdfRun['font']; bytes: string; text: string }[] = [];
  for (const character of text) {
    const { font, code } = encoded(character, text);
    const last = runs.at(-1);
    const byte = String.fromCharCode(code);
    if (last?.font === font) {
      last.bytes += byte;
      last.text += character;
    } else runs.push({ font, bytes: byte, text: character });
  }
  return runs;
}

function encoded(character: string, text: string): { font: PdfRun['font']; code: number } {
  const code = character.codePointAt(0)!;
  if ((code >= 32 && code < 127) || (code >= 160 && code < 256)) return { font: 'letters', code };
  const letter = LETTERS[character];
  if (letter !== undefined) return { font: 'letters', code: letter };
  const symbol = SYMBOLS[character];
  if (symbol !== undefined) return { font: 'symbols', code: symbol };
  throw new EspalierError({
    code: 'figure/characters',
    operation: 'writing a figure as PDF',
    expected: 'characters of Helvetica, Times and Symbol, the fonts that every reader of PDF has',
    actual: `“${character}” in “${text}”`,
    remedy: 'Save it as SVG, which takes its fonts from the reader’s system, or give what it shows another name.',
  });
}
