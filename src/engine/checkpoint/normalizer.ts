import { compilePattern } from './splitPattern.ts';
import { normalizeAsRust, withPinnedCategories } from './unicodePinning.ts';
import type { NormalizerSpec } from './tokenizerSpec.ts';

export type Normalize = (text: string) => string;

/**
 * The normaliser of tokenizer.json: done on every stretch of text between added tokens, before it is split into words.
 *
 * @throws SyntaxError when a pattern cannot be translated.
 */
export function compileNormalizer(spec: NormalizerSpec | null | undefined): Normalize {
  if (!spec) return (text) => text;
  switch (spec.type) {
    case 'NFC':
    case 'NFD':
      return (text) => normalizeAsRust(text, spec.type);
    case 'Prepend':
      return (text) => (text === '' ? text : spec.prepend + text);
    case 'Replace':
      return compileReplace(
        'String' in spec.pattern ? spec.pattern.String : compilePattern(spec.pattern),
        spec.content,
      );
    case 'Sequence': {
      const steps = spec.normalizers.map(compileNormalizer);
      return (text) => steps.reduce((done, step) => step(done), text);
    }
  }
}

function compileReplace(pattern: string | RegExp, content: string): Normalize {
  // Nothing is replaced by way of an empty text, and `$` in the content is no reference.
  if (pattern === '') return (text) => text;
  if (typeof pattern === 'string') return (text) => text.replaceAll(pattern, () => content);
  return (text) => {
    let [done, reached] = ['', 0];
    for (const match of withPinnedCategories(text).matchAll(pattern)) {
      done += text.slice(reached, match.index) + content;
      reached = match.index + match[0].length;
    }
    return done + text.slice(reached);
  };
}
