import { markdownText } from '../../base/markdown.ts';

/**
 * Text within a line of Markdown, behind something that stands there. What holds nothing but letters, digits and signs that mean nothing inside
 * a line stays as it is, so that the file reads well where nobody renders it, too.
 */
export function markdownWords(text: string): string {
  return PLAIN.test(text) && !LINK.test(text) ? text.trim() : markdownText(text);
}

/** Parentheses mean something behind a bracket alone, which is always escaped. */
const PLAIN = /^[\p{L}\p{N} .,;:%±–−+=()·√²³Σ∂/’'-]*$/u;
const LINK = /www\.|:\/|[^\S ]/i;
