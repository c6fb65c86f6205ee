import { latexText } from '../formats/latexText.ts';
import type { Reference } from './reference.ts';
import { referenceOf } from './references.ts';
import type { ReferenceKey } from './references.ts';

/** BibTeX of what is cited, by their keys. Fields are those that every style knows; titles keep their capitals. */
export function bibtex(keys: Iterable<ReferenceKey>): string {
  return [...new Set(keys)]
    .sort()
    .map((key) => entry(key, referenceOf(key)))
    .join('\n');
}

function entry(key: string, of: Reference): string {
  const { kind, authors, title, venue, volume, pages, year, arXiv, doi, url } = of;
  const where = { inproceedings: 'booktitle', article: 'journal', misc: 'howpublished' }[kind];
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['author', authors.map(author).join(' and ')],
    ['title', `{${safe(title)}}`],
    [where, venue === undefined ? undefined : safe(venue)],
    ['volume', volume],
    ['pages', pages?.replace('-', '--')],
    ['year', String(year)],
    ['doi', doi],
    ['url', url],
    ['eprint', arXiv],
    ['archiveprefix', arXiv === undefined ? undefined : 'arXiv'],
    // Plain styles print neither an eprint nor a DOI.
    ['note', arXiv !== undefined ? `arXiv:${arXiv}` : doi === undefined ? undefined : `doi:${safe(doi)}`],
  ];
  const said = fields.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name} = {${value}}`]));
  return `@${kind}{${key},\n${said.join(',\n')}\n}\n`;
}

/** A team is one name, whatever blanks it has. */
function author(name: string): string {
  if (name === 'others') return name;
  return name.includes(',') ? name.split(', ').map(safe).join(', ') : `{${safe(name)}}`;
}

/** Accents in braces, so that styles sort and cut names at letters. */
function safe(text: string): string {
  return latexText(text).replaceAll(/\\(?:[`'^~=."]|[a-zA-Z](?=\{))\{(?:\\[ij]|[A-Za-z])\}/g, '{$&}');
}
