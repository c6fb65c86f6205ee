import { plainLine } from '../../base/plainText.ts';

/** Longer texts are cut: no cell and no caption holds more. */
const LONGEST = 2000;

/**
 * Text of somebody else's as LaTeX that prints exactly it, in any font encoding: no character of it is a command. What pdfTeX has no glyph for
 * becomes its code point, `[U+4E2D]`.
 */
export function latexText(text: string): string {
  const characters = Array.from(plainLine(text, LONGEST).normalize('NFC'), latexCharacter);
  // Two of these in a row are set as one sign.
  return characters.map((one, i) => (JOINING.has(one) && characters[i + 1] === one ? `${one}{}` : one)).join('');
}

/** The same in typewriter, where a line may end behind what parts the names in a path. */
export function latexCode(text: string): string {
  return `\\texttt{${latexText(text).replaceAll(/[/.,)]|\\_|-(?!\{)/g, '$&\\allowbreak{}')}}`;
}

function latexCharacter(character: string): string {
  const known = CHARACTERS.get(character);
  if (known !== undefined) return known;
  if (PRINTABLE.test(character)) return character;
  return accented(character) ?? `[U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`;
}

const JOINING: ReadonlySet<string> = new Set(['-', ',', "'", "''"]);
const PRINTABLE = /^[\x20-\x7e]$/;

/** `é` is `\'{e}`: a letter and one mark. */
function accented(character: string): string | undefined {
  const [letter = '', mark = '', ...more] = character.normalize('NFD');
  const accent = ACCENTS.get(mark);
  if (accent === undefined || more.length > 0 || !/^[A-Za-z]$/.test(letter)) return undefined;
  return `\\${accent}{${letter === 'i' ? '\\i' : letter === 'j' ? '\\j' : letter}}`;
}

const ACCENTS: ReadonlyMap<string, string> = new Map([
  ['\u0300', '`'],
  ['\u0301', "'"],
  ['\u0302', '^'],
  ['\u0303', '~'],
  ['\u0304', '='],
  ['\u0306', 'u'],
  ['\u0307', '.'],
  ['\u0308', '"'],
  ['\u030a', 'r'],
  ['\u030b', 'H'],
  ['\u030c', 'v'],
  ['\u0327', 'c'],
]);

const math = (command: string): string => `\\ensuremath{${command}}`;

const CHARACTERS: ReadonlyMap<string, string> = new Map([
  ['\\', '\\textbackslash{}'],
  ...Array.from('{}$&#%_', (character): [string, string] => [character, `\\${character}`]),
  ['^', '\\textasciicircum{}'],
  ['~', '\\textasciitilde{}'],
  ['<', '\\textless{}'],
  ['>', '\\textgreater{}'],
  ['|', '\\textbar{}'],
  ['"', "''"],
  ['`', '\\textasciigrave{}'],
  // Behind the end of a row they would be its argument.
  ['[', '{[}'],
  [']', '{]}'],
  ['*', '{*}'],
  ['–', '\\textendash{}'],
  ['—', '\\textemdash{}'],
  ['−', math('-')],
  ['±', math('\\pm')],
  ['×', math('\\times')],
  ['·', math('\\cdot')],
  ['÷', math('\\div')],
  ['√', math('\\surd')],
  ['∞', math('\\infty')],
  ['≤', math('\\leq')],
  ['≥', math('\\geq')],
  ['≠', math('\\neq')],
  ['≈', math('\\approx')],
  ['→', math('\\rightarrow')],
  ['←', math('\\leftarrow')],
  ['Σ', math('\\Sigma')],
  ['‖', math('\\Vert')],
  ['²', math('^{2}')],
  ['³', math('^{3}')],
  ['°', math('^{\\circ}')],
  ['…', '\\dots{}'],
  ['‘', '`{}'],
  ['’', "'{}"],
  ['“', '``{}'],
  ['”', "''{}"],
  ['ß', '\\ss{}'],
  ['æ', '\\ae{}'],
  ['Æ', '\\AE{}'],
  ['œ', '\\oe{}'],
  ['ø', '\\o{}'],
  ['Ø', '\\O{}'],
  ['å', '\\aa{}'],
  ['Å', '\\AA{}'],
  ['ł', '\\l{}'],
  ['Ł', '\\L{}'],
  ['§', '\\S{}'],
  ['\u00a0', '~'],
  ...(
    [
      ['α', 'alpha'],
      ['β', 'beta'],
      ['γ', 'gamma'],
      ['δ', 'delta'],
      ['ε', 'varepsilon'],
      ['η', 'eta'],
      ['θ', 'theta'],
      ['κ', 'kappa'],
      ['λ', 'lambda'],
      ['μ', 'mu'],
      ['ν', 'nu'],
      ['π', 'pi'],
      ['ρ', 'rho'],
      ['σ', 'sigma'],
      ['τ', 'tau'],
      ['φ', 'varphi'],
      ['χ', 'chi'],
      ['ψ', 'psi'],
      ['ω', 'omega'],
      ['Δ', 'Delta'],
      ['Ω', 'Omega'],
    ] as const
  ).map(([letter, name]): [string, string] => [letter, math(`\\${name}`)]),
]);
