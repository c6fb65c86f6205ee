/** Far more than any file of ours has, and far less than what exhausts the stack or the memory. */
const MAX_DEPTH = 4000;
const MAX_CONTAINERS = 2_000_000;
const MAX_NAMES = 4_000_000;
const MAX_VALUES = 16_000_000;

/**
 * `JSON.parse` for text that others may have written. A few megabytes of brackets become gigabytes of objects, and a deep nest
 * exhausts the stack of whoever walks it: both are refused before anything is made of them.
 *
 * @throws SyntaxError
 */
export function parseBoundedJson(text: string): unknown {
  let depth = 0;
  let containers = 0;
  let names = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        if (++depth > MAX_DEPTH) throw new SyntaxError(`values inside each other, more than ${MAX_DEPTH} deep`);
        if (++containers > MAX_CONTAINERS) throw new SyntaxError(`more than ${MAX_CONTAINERS} objects and lists`);
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth--;
        break;
      case COMMA:
        if (++values > MAX_VALUES) throw new SyntaxError(`more than ${MAX_VALUES} values`);
        break;
      case COLON:
        if (++names > MAX_NAMES) throw new SyntaxError(`more than ${MAX_NAMES} named values`);
        break;
    }
  }
  return JSON.parse(text);
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Where the string that begins at `start` ends; the end of the text where it does not. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return text.length;
}
