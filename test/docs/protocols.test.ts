import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROTOCOL_NAMES, protocolOf } from '../../src/experiment/protocols.ts';
import { protocolTable } from '../../src/language/server/describeProtocol.ts';

const PAGE = readFileSync(new URL('../../docs/protocols.md', import.meta.url), 'utf8');

/** What stands below a heading. */
function sectionOf(heading: string): string {
  return PAGE.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
}

/** Without line ends that a page needs and a table has none of. */
const inOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');

describe('docs/protocols.md', () => {
  it.each(PROTOCOL_NAMES)('has what %s sets, with its sources', (name) => {
    expect(sectionOf(`\`${name}\``).split('\n')).toEqual(expect.arrayContaining(protocolTable(name).split('\n')));
  });

  it.each(PROTOCOL_NAMES)('has what is said of %s, and what no setting says', (name) => {
    const { documentation, notes } = protocolOf(name);
    const section = inOneLine(sectionOf(`\`${name}\``));
    expect([documentation, ...notes].filter((text) => !section.includes(text))).toEqual([]);
  });

  it('has no protocol that there is not, and no row that is none of its protocol', () => {
    const named = [...PAGE.matchAll(/^## `(.+)`$/gm)].map((match) => match[1]);
    expect(named).toEqual([...PROTOCOL_NAMES]);
    for (const name of PROTOCOL_NAMES) {
      const rows = sectionOf(`\`${name}\``)
        .split('\n')
        .filter((line) => line.startsWith('|'));
      expect(rows).toEqual(protocolTable(name).split('\n'));
    }
  });
});
