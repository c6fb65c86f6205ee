import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hubNameOf, inputName, inputText } from '../../src/experiment/hubName.ts';
import { hubPage, parseHubModel, parseHubText, printReference } from '../../src/experiment/hubReference.ts';

describe('names on the hub', () => {
  it.each([
    ['hf:gpt2', { kind: 'model', id: 'gpt2' }],
    ['hf:meta-llama/Llama-3.2-1B', { kind: 'model', id: 'meta-llama/Llama-3.2-1B' }],
    ['hf:o/m@refs/pr/1', { kind: 'model', id: 'o/m', revision: 'refs/pr/1' }],
    ['hf:o/m@step-143000', { kind: 'model', id: 'o/m', revision: 'step-143000' }],
  ])('%s of a model', (text, reference) => {
    expect(parseHubModel(text)).toEqual({ reference });
    expect(printReference(reference as never)).toBe(text);
  });

  it.each([
    [
      'hf:Salesforce/wikitext/wikitext-2-raw-v1:test',
      { config: 'wikitext-2-raw-v1', split: 'test' },
      'Salesforce/wikitext',
    ],
    ['hf:o/d:train', { split: 'train' }, 'o/d'],
    ['hf:ptb_text_only:test', { split: 'test' }, 'ptb_text_only'],
    [
      'hf:allenai/c4/en/c4-train.00000-of-01024.json.gz@main',
      { file: 'en/c4-train.00000-of-01024.json.gz' },
      'allenai/c4',
    ],
  ])('%s of a text', (text, part, id) => {
    const parsed = parseHubText(text);
    expect(parsed).toMatchObject({ reference: { kind: 'dataset', id, part } });
    expect(printReference((parsed as { reference: never }).reference)).toBe(text);
  });

  it.each([
    ['hf:', /an empty name/],
    ['hf:/o/m', /a slash/],
    ['hf:o/', /an empty name/],
    ['hf:..', /neither begin nor end/],
    ['hf:o/a--b', /no --/],
    ['hf:o/a..b', /no \.\./],
    ['hf:o/m.git', /\.git/],
    ['hf:o/m m', /letters, digits/],
    ['hf:o/m%2e%2e', /letters, digits/],
    ['hf:o/m?x', /letters, digits/],
    ['hf:o/m\u202e', /letters, digits/],
    ['hf:o/m@../../etc', /"\.\." in the revision/],
    ['hf:o/m@a\\b', /file systems/],
    ['hf:o/m@', /an empty name in the revision/],
    ['hf:o/m:test', /a split/],
    ['hf:o/m/folder', /3 names/],
    [`hf:o/${'m'.repeat(96)}`, /more than 96/],
    [`hf:${'a/'.repeat(600)}`, /characters/],
  ])('%s is refused for a model', (text, problem) => {
    expect(parseHubModel(text)).toEqual({ problem: expect.stringMatching(problem) as string });
  });

  it.each([
    ['hf:o/d', /without a split or a file/],
    ['hf:o/d/../../x.txt', /"\.\." in the path/],
    ['hf:o/d/c:d:e', /more than one colon/],
    ['hf:o/d/CON.txt', /file systems/],
    ['hf:o/d/a:', /"" in the place of a split/],
  ])('%s is refused for a text', (text, problem) => {
    expect(parseHubText(text)).toEqual({ problem: expect.stringMatching(problem) as string });
  });

  it('never become a path that leads elsewhere, whatever is written', () => {
    const odd = fc.stringMatching(/^[ab.:@~/\\-]{0,12}$/);
    fc.assert(
      fc.property(odd, (text) => {
        for (const parsed of [parseHubModel(`hf:${text}`), parseHubText(`hf:${text}`)]) {
          if (!('reference' in parsed)) continue;
          const { reference } = parsed;
          const names = [
            reference.id,
            reference.revision ?? 'main',
            ...('part' in reference && 'file' in reference.part ? [reference.part.file] : []),
          ];
          for (const name of names) expect(name).not.toMatch(/(^|\/)\.*(\/|$)|[\\:~]/);
          expect(printReference(reference)).toBe(`hf:${text}`);
        }
      }),
      { seed: 1, numRuns: 3000 },
    );
  });

  it('have pages', () => {
    expect(hubPage({ kind: 'model', id: 'o/m' }, 'https://huggingface.co')).toBe('https://huggingface.co/o/m');
    expect(hubPage({ kind: 'dataset', id: 'o/d' }, 'https://h/x')).toBe('https://h/x/datasets/o/d');
  });
});

describe('paths in the cache are told by their names', () => {
  const commit = '0123456789abcdef0123456789abcdef01234567';
  it.each([
    [
      `/c/models--meta-llama--Llama-2-7b-hf/snapshots/${commit}`,
      'meta-llama/Llama-2-7b-hf',
      'hf:meta-llama/Llama-2-7b-hf@0123456789ab',
    ],
    [`/c/models--gpt2/snapshots/${commit}/`, 'gpt2', 'hf:gpt2@0123456789ab'],
    [`C:\\c\\datasets--o--d\\snapshots\\${commit}\\en\\a.gz`, 'o/d/en/a.gz', 'hf:o/d/en/a.gz@0123456789ab'],
    ['hf:o/m@main', 'o/m@main', 'hf:o/m@main'],
    ['/models/tiny/', 'tiny', '/models/tiny/'],
    ['/c/models--gpt2/snapshots/main', 'main', '/c/models--gpt2/snapshots/main'],
  ])('%s', (path, name, text) => {
    expect([inputName(path), inputText(path)]).toEqual([name, text]);
  });

  it('with the commit', () => {
    expect(hubNameOf(`/c/models--o--m/snapshots/${commit}`)).toEqual({ kind: 'model', id: 'o/m', commit, file: '' });
    expect(hubNameOf(`/c/models--a--b--c/snapshots/${commit}`)).toBeUndefined();
  });
});
