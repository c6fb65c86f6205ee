/** Letters of a name: Latin, Greek and Cyrillic, so that a parameter can be called α. */
const LETTER = 'A-Za-z_\\u00C0-\\u00D6\\u00D8-\\u00F6\\u00F8-\\u024F\\u0388-\\u03FF\\u0400-\\u0481';

/** Sources of the regular expressions of a name, and of one character in it. */
export const NAME = `[${LETTER}][${LETTER}0-9]*`;
export const NAME_CHARACTERS = `[${LETTER}0-9]`;

const WHOLE_NAME = new RegExp(`^${NAME}$`);
const NAME_CHARACTER = new RegExp(NAME_CHARACTERS);

/** Words that begin a declaration; anywhere else they are names like others (`model: tiny`). */
export const DECLARATION_KEYWORDS = [
  'model',
  'corpus',
  'task',
  'parameter',
  'metric',
  'experiment',
  'search',
  'defaults',
] as const;
export type DeclarationKeyword = (typeof DECLARATION_KEYWORDS)[number];

export function isName(text: string): boolean {
  return WHOLE_NAME.test(text);
}

/** Whether the character at `offset` can be part of a name. */
export function isNameCharacter(text: string, offset: number): boolean {
  const character = text[offset];
  return character !== undefined && NAME_CHARACTER.test(character);
}

export function isDeclarationKeyword(text: string): text is DeclarationKeyword {
  return (DECLARATION_KEYWORDS as readonly string[]).includes(text);
}
