import { describe, expect, it } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { Forms, nodeAt } from '../../../src/extension/tree/treeForms.ts';
import type { Form } from '../../../src/extension/tree/treeForms.ts';
import { compile } from '../../../src/language/check/compile.ts';
import { metricTree } from '../../../src/language/server/tree.ts';
import type { Expression } from '../../../src/metric/expression.ts';

/** The forms of the metric `m`, and what the selection between two bars (or the cursor at one) is in the text. */
function read(marked: string) {
  const begin = marked.indexOf('|');
  const end = marked.lastIndexOf('|');
  const text = marked.replaceAll('|', '');
  const source = TextDocument.create('file:///m.prune', 'prune', 1, text);
  const tree = metricTree(compile(text), source, 'm')!;
  const selection = {
    start: source.positionAt(Math.max(0, begin)),
    end: source.positionAt(begin === end ? Math.max(0, begin) : end - 1),
  };
  return { forms: new Forms(tree.expression, tree.places), selection, source };
}

function labelAt({ expression }: Form, node: number | undefined): string | undefined {
  return node === undefined ? undefined : flat(expression)[node];
}

function flat(node: Expression): string[] {
  if (node.kind === 'operation') return [node.operation, ...node.arguments.flatMap(flat)];
  return [node.kind === 'number' ? String(node.value) : node.name];
}

describe('the node at the cursor', () => {
  const table: [text: string, label: string | undefined][] = [
    ['metric m = |W * sqrt(X)', 'W'],
    ['metric m = W| * sqrt(X)', 'W'],
    ['metric m = W |* sqrt(X)', 'mul'],
    ['metric m = W * s|qrt(X)', 'sqrt'],
    ['metric m = W * sqrt(|X)', 'X'],
    ['metric m = W * sqrt(X)|', 'sqrt'],
    ['metric m = W * |sqrt(X)|', 'sqrt'],
    ['metric m = |W * sqrt(X)|', 'mul'],
    ['metric m = |W * sq|rt(X)', 'mul'],
    ['metric m = (W| + 1) * X', 'W'],
    ['metric m = (W + 1)| * X', 'mul'],
    ['metric a = abs(W * X)\nmetric m = neg(a|)', 'abs'],
    ['metric m |= W', undefined],
    ['|\nmetric m = W', undefined],
    ['metric m = W\n\nmetric n = |X', undefined],
    ['metric m =\n  W *\n  |X', 'X'],
    ['|metric m = W * X|', undefined],
  ];
  it.each(table)('%j', (text, label) => {
    const { forms, selection } = read(text);
    expect(labelAt(forms.written, nodeAt(forms.written, selection, undefined))).toBe(label);
  });

  it('stays where it is while its text is what is selected', () => {
    const { forms, selection } = read('metric a = abs(W * X)\nmetric m = neg(|a|)');
    expect(nodeAt(forms.written, selection, undefined)).toBe(1);
    expect(nodeAt(forms.written, selection, 3)).toBe(3);
    expect(nodeAt(forms.written, selection, 0)).toBe(1);
  });
});

describe('the forms', () => {
  it('of a metric have its references', () => {
    const { forms } = read('parameter half = 0.5\nmetric a = W * X\nmetric m = a ^ half');
    expect(forms.written.references).toEqual({ 1: 'a', 4: 'half' });
  });

  it('a node of the canonical one stands where a written node has its values', () => {
    const { forms, source } = read('metric a = X * X\nmetric m = mms(tanh(a) * W)');
    const canonical = forms.get('canonical');
    const texts = canonical.ranges.map((range) => range && source.getText(range));
    const found = flat(canonical.expression).map((label, i) => `${label} ← ${texts[i] ?? ''}`);
    expect(found).toEqual(['mul ← tanh(a) * W', 'W ← W', 'tanh ← tanh(a)', 'sqr ← a', 'X ← a']);
    expect(canonical.references).toEqual({ 3: 'a' });
    expect(forms.steps('canonical').join()).toContain('mms');
    expect(forms.steps('written')).toEqual([]);
  });

  it('of the largest metric are made without a pause that one would notice', () => {
    const long = Array.from({ length: 60 }, (_, i) => `W * sqrt(X) / ${i + 1}`).join(' + ');
    const { forms } = read(`metric m = ${long}`);
    expect(forms.get('canonical').ranges.every((range) => range === undefined)).toBe(true);
  });

  it('of a formula without a file have no places', () => {
    const { written } = new Forms({ kind: 'operand', name: 'W' });
    expect(written.ranges).toEqual([undefined]);
    expect(nodeAt(written, read('|metric m = W').selection, undefined)).toBeUndefined();
  });
});
