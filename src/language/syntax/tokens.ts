import { PruneTerminals } from './generated/ast.ts';
import type { Span } from './syntax.ts';

/** A word, number, text, sign or comment, as the grammar's terminals cut it. */
export interface Token extends Span {
  readonly kind: 'comment' | 'string' | 'number' | 'name' | 'sign' | 'other';
  readonly text: string;
}

/** Every token of a text, comments included, blanks left out. A character that the language does not have is a token too. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const token = match[0];
    tokens.push({ kind: kindOf(token), text: token, start: match.index, end: match.index + token.length });
  }
  return tokens;
}

const { COMMENT, PERCENTAGE, RATIO, NUMBER, STRING, ID } = PruneTerminals;
/** The longer spellings of a number first, as in the grammar; blanks are what none of them begins with. */
const TOKEN = new RegExp(
  [COMMENT, STRING, ID, PERCENTAGE, RATIO, NUMBER, /[^\s\uFEFF]/].map(({ source }) => source).join('|'),
  'g',
);
const SIGNS = '-+*^=:,(){}[]';
const NAME_START = new RegExp(`^(?:${ID.source})`);

function kindOf(token: string): Token['kind'] {
  const first = token[0]!;
  if (SIGNS.includes(first) || token === '/') return 'sign';
  if (first === '/') return 'comment';
  if (first === '"') return token.length > 1 ? 'string' : 'other';
  if (first >= '0' && first <= '9') return 'number';
  if (first === '.') return token.length > 1 ? 'number' : 'other';
  return NAME_START.test(token) ? 'name' : 'other';
}
