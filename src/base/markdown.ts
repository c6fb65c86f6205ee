import { plainLine } from './plainText.ts';

/**
 * Markdown that shows texts of somebody else's (a name in a file, a formula, a server's error) as exactly those texts. Nothing in them becomes
 * an image that is fetched, a link, a command, a heading, an entity or the end of a table's cell. Whatever goes into Markdown and is not
 * written here goes through one of these.
 */

/** Much longer than a hover shows, in UTF-16 units. */
const LONGEST = 4000;

/** On one line. */
export function markdownText(text: string): string {
  return escaped(plainLine(text, LONGEST));
}

/** Paragraphs, which empty lines separate, stay paragraphs; the lines of one are wrapped anew. */
export function markdownLines(text: string): string {
  const lines = text.slice(0, LONGEST).split(/\r\n|[\n\r\u2028\u2029]/);
  return lines.map(markdownText).join('\n');
}

/** As code on a line. Backticks would end it, and bars the cell of a table; no formula and no path that one means holds either. */
export function markdownCode(text: string): string {
  const line = plainLine(text.replace(/[`|]/g, ' '), LONGEST);
  return `\`${line === '' ? ' ' : line}\``;
}

/** As a block of code in a language of ours. */
export function markdownBlock(source: string, language: string): string {
  // Longer than any row of backticks inside.
  const longest = (source.match(/`+/g) ?? []).reduce((most, { length }) => Math.max(most, length), 2);
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${source}\n${fence}`;
}

function escaped(line: string): string {
  return line.replace(MARKUP, '\\$&');
}

/** What means something anywhere; what makes a link of an address; and what begins a list or underlines a heading at the start of a line. */
const MARKUP = /[!#$&()*<>@[\\\]_`{|}~]|:(?=\/)|(?<=\bwww)\.|^[-+=:]|(?<=^\d+)\./gi;
