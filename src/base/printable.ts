/**
 * What a terminal would not show but do, or show elsewhere: control characters (C0, C1, delete: colours, cursor, clipboard, title),
 * line and paragraph separators, marks that turn the direction of what follows, and halves of surrogate pairs.
 */
const UNPRINTABLE = new RegExp(
  [
    '[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff]',
    '[\\ud800-\\udbff](?![\\udc00-\\udfff])',
    '(?<![\\ud800-\\udbff])[\\udc00-\\udfff]',
  ].join('|'),
  'g',
);

/**
 * Text as a terminal, and a log that is read on one, may be given it: what is named above as `\u001b`, so that it can be read and does nothing, in JSON still the
 * same text. Further lines are indented: no name and no message can look like a line of ours. Tabs stay.
 */
export function printable(text: string): string {
  return text
    .replace(/\r\n/g, '\n')
    .replace(UNPRINTABLE, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replace(/\n(?! {2})/g, '\n  ');
}
