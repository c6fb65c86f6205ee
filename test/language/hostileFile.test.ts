import { describe, expect, it } from 'vitest';
import { complete } from '../../src/language/server/completion.ts';
import { hover } from '../../src/language/server/navigation.ts';
import { signatureHelp } from '../../src/language/server/signature.ts';
import { ACTIVE, renderMarkdown } from '../support/renderMarkdown.ts';
import { cursor } from './marked.ts';

// A file of somebody else's is looked at before it is trusted: what it says in comments and texts is shown, and loads and runs nothing.

const IMAGE = '![x](https://elsewhere.example/x.png)';
const COMMENT = `/// ${IMAGE} <img src="https://elsewhere.example/x.png">
/// \`\`\`
/// ${IMAGE} [run](command:workbench.action.terminal.new)
///
/// # www.elsewhere.example
`;
/** A comment inside of a declaration, whose text a hover shows as it stands. */
const INSIDE = `// \`\`\`
  // ${IMAGE}
  // \`\`\`\`
  // ${IMAGE}
  `;
const FILE = `${COMMENT}model tiny = "m\`\`\`${IMAGE}"
${COMMENT}corpus calib = "c ${IMAGE}"
${COMMENT}metric mine(alpha = 0.5) = W * ${INSIDE}X ^ alpha
${COMMENT}experiment heads { model: tiny evaluate: calib calibrate: calib prune: mine(${INSIDE}0.5), W * ${INSIDE}X at: 50% }
${COMMENT}search rates { model: tiny evaluate: calib at: 30% method: self-pruner target: weights(W ${INSIDE}* X) }
metric uses = mine(2)
`;

function expectInert(markdown: string | undefined): void {
  expect(markdown).toContain('elsewhere.example');
  expect([...renderMarkdown(markdown!).elements].filter((type) => ACTIVE.includes(type))).toEqual([]);
}

describe('a comment in a .prune file is shown as the text that it is', () => {
  it.each(['model |tiny', 'corpus |calib', 'metric |mine', 'experiment |heads', 'search |rates', 'uses = |mine'])(
    'in the hover of %s',
    (place) => {
      const { document, source, offset } = cursor(FILE.replace(place.replace('|', ''), place));
      const { value } = hover(document, source, offset)!.contents as { readonly value: string };
      expectInert(value);
      expect(renderMarkdown(value).text).toContain(IMAGE);
    },
  );

  it('in completion', () => {
    const { document, source, offset } = cursor(`${FILE}metric more = |`);
    const item = complete(document, source, offset).find(({ label }) => label === 'mine');
    expectInert((item?.documentation as { readonly value: string }).value);
  });

  it('beside the arguments of a call', () => {
    const { document, offset } = cursor(FILE.replace('mine(2)', 'mine(|2)'));
    const [signature] = signatureHelp(document, offset)!.signatures;
    expectInert((signature!.documentation as { readonly value: string }).value);
  });
});
