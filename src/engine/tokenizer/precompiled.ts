import { clustersOf } from './clusters.ts';
import { tokenizerError } from './tokenizerError.ts';

/**
 * SentencePiece's own normalisation: a table of what texts become, as sentencepiece writes it (the length of a double-array trie
 * in bytes, the trie, and the texts that it points at, each ended by a NUL). It is applied as the Rust library does: to clusters
 * of less than six bytes as a whole, of which the table may know only the beginning, else to characters.
 *
 * @throws EspalierError `checkpoint/tokenizer`
 */
export function compilePrecompiled(charsmap: string, file: string): (text: string) => string {
  const table = new CharsMap(charsmap, file);
  const remembered = new Map<string, string | undefined>();
  const mapped = (text: string): string | undefined => {
    const known = remembered.get(text);
    if (known !== undefined || remembered.has(text)) return known;
    const found = table.find(text);
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(text, found);
    return found;
  };
  return (text) => {
    const parts: string[] = [];
    for (const { text: cluster, isPlain } of clustersOf(text)) {
      const whole = !isPlain && Buffer.byteLength(cluster) < 6 ? mapped(cluster) : undefined;
      parts.push(whole ?? mapCharacters(cluster, mapped));
    }
    return parts.join('');
  };
}

const REMEMBERED = 2 ** 16;

function mapCharacters(text: string, mapped: (character: string) => string | undefined): string {
  let done = '';
  let reached = 0;
  for (let at = 0; at < text.length;) {
    const next = at + (text.codePointAt(at)! > 0xffff ? 2 : 1);
    const found = mapped(text.slice(at, next));
    if (found !== undefined) {
      done += text.slice(reached, at) + found;
      reached = next;
    }
    at = next;
  }
  return reached === 0 ? text : done + text.slice(reached);
}

/** See Darts-clone’s double array: a unit has a label, an offset to its children, and a flag that a text ends here. */
class CharsMap {
  private readonly units: Uint32Array;
  private readonly texts: Uint8Array;
  private readonly file: string;

  constructor(charsmap: string, file: string) {
    this.file = file;
    const bytes = Buffer.from(charsmap, 'base64');
    if (bytes.toString('base64') !== charsmap) throw this.damaged('base64');
    const size = bytes.length >= 4 ? 4 * Math.floor(bytes.readUInt32LE() / 4) : Infinity;
    if (bytes.length < 4 + size) throw this.damaged('as long as it says');
    this.units = Uint32Array.from({ length: size / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
    this.texts = bytes.subarray(4 + size);
    try {
      DECODER.decode(this.texts);
    } catch {
      throw this.damaged('UTF-8');
    }
  }

  /** What the shortest beginning of a text that the table knows becomes. */
  find(text: string): string | undefined {
    let place = offsetOf(this.unit(0));
    for (const byte of ENCODER.encode(text)) {
      if (byte === 0) return undefined;
      place ^= byte;
      const unit = this.unit(place);
      if ((unit & LABEL) >>> 0 !== byte) return undefined;
      place ^= offsetOf(unit);
      if ((unit & ENDS) !== 0) return this.textAt(this.unit(place) & VALUE);
    }
    return undefined;
  }

  private unit(place: number): number {
    const unit = this.units[place];
    if (unit === undefined) throw this.damaged('whole');
    return unit;
  }

  private textAt(begin: number): string {
    const end = this.texts.indexOf(0, begin);
    try {
      return DECODER.decode(this.texts.subarray(begin, end < 0 ? undefined : end));
    } catch {
      throw this.damaged('whole');
    }
  }

  private damaged(what: string): Error {
    return tokenizerError(this.file, `the precompiled_charsmap of a normaliser to be ${what}`, 'it is not');
  }
}

const LABEL = 0x800000ff;
const ENDS = 1 << 8;
const VALUE = 0x7fffffff;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6);
}
