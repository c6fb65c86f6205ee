/** What is longer is cut, unless a caller says otherwise: more than a line of a window shows. In UTF-16 units. */
const LONGEST = 300;

/**
 * A text of somebody else's (a name in a file, what a server said) as one line of plain text: without line breaks and control characters,
 * which could forge a line, and without the invisible characters that turn the direction of writing or hide what stands there.
 */
export function plainLine(text: string, longest = LONGEST): string {
  // Cut before it is looked at, too: a text of megabytes is none that one shows.
  const line = text
    .slice(0, 8 * longest)
    .replace(INVISIBLE, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  return line.length > longest ? `${line.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…` : line;
}

/** Format characters, but for the two joiners that scripts and emoji are written with. */
const INVISIBLE = /(?![\u200c\u200d])\p{Cf}/gu;
