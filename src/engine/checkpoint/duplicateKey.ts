/**
 * The first key that the top level of a JSON object holds twice, which `JSON.parse` hides by keeping the last. The safetensors
 * format forbids it: two readers could see two different tensors.
 *
 * @param json UTF-8 bytes of an object that `JSON.parse` accepts.
 */
export function duplicateKey(json: Uint8Array): string | undefined {
  const decoder = new TextDecoder();
  const seen = new Set<string>();
  let depth = 0;
  // At depth 1 a string is a key unless a colon came since the last comma.
  let isKey = true;
  for (let at = 0; at < json.length; at++) {
    switch (json[at]!) {
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth++;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth--;
        break;
      case COLON:
        if (depth === 1) isKey = false;
        break;
      case COMMA:
        if (depth === 1) isKey = true;
        break;
      case QUOTE: {
        const end = endOfString(json, at);
        if (depth === 1 && isKey) {
          const key = JSON.parse(decoder.decode(json.subarray(at, end))) as string;
          if (seen.has(key)) return key;
          seen.add(key);
        }
        at = end - 1;
        break;
      }
    }
  }
  return undefined;
}

const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Position after the closing quote of the string that opens at `at`. */
function endOfString(json: Uint8Array, at: number): number {
  let end = at + 1;
  while (end < json.length && json[end] !== QUOTE) end += json[end] === BACKSLASH ? 2 : 1;
  return end + 1;
}
