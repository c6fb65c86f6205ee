import { describe, expect, it } from 'vitest';
import type { Expression } from '../../../src/metric/expression.ts';
import { compile } from '../../../src/language/check/compile.ts';
import { traceMetric } from '../../../src/language/check/trace.ts';

/** Every node of the metric `m` with the text that it comes from, in the order of the tree. */
function traced(text: string): string[] | undefined {
  const found = traceMetric(compile(text), 'm');
  if (found === undefined) return undefined;
  const labels = [...labelsOf(found.expression)];
  expect(found.origins).toHaveLength(labels.length);
  return found.origins.map(({ span, reference }, i) => {
    const source = text.slice(span.start, span.end);
    return `${labels[i]!} ← ${source}${reference === undefined ? '' : ` (${reference})`}`;
  });
}

function* labelsOf(node: Expression): Generator<string> {
  if (node.kind !== 'operation') {
    yield node.kind === 'number' ? String(node.value) : node.name;
    return;
  }
  yield node.operation;
  for (const argument of node.arguments) yield* labelsOf(argument);
}

describe('the places that the nodes of a metric come from', () => {
  const table: [text: string, nodes: string[]][] = [
    ['metric m = W', ['W ← W']],
    ['metric m = W * sqrt(X)', ['mul ← W * sqrt(X)', 'W ← W', 'sqrt ← sqrt(X)', 'X ← X']],
    [
      '// first\nmetric m =\n  (W + 1) * -X ^ 2',
      [
        ...['mul ← (W + 1) * -X ^ 2', 'add ← W + 1', 'W ← W', '1 ← 1'],
        ...['neg ← -X ^ 2', 'power ← X ^ 2', 'X ← X', '2 ← 2'],
      ],
    ],
    ['metric m = W * -0.5', ['mul ← W * -0.5', 'W ← W', '-0.5 ← -0.5']],
    [
      'metric a = W * X\nmetric m = abs(a) + a',
      [...['add ← abs(a) + a', 'abs ← abs(a)', 'mul ← a (a)', 'W ← a', 'X ← a'], ...['mul ← a (a)', 'W ← a', 'X ← a']],
    ],
    [
      'metric m = s(2) / s(alpha: 3)\nmetric s(alpha = 1) = X ^ alpha',
      [
        ...['quotient ← s(2) / s(alpha: 3)', 'power ← s(2) (s)', 'X ← s(2)', '2 ← s(2)'],
        ...['power ← s(alpha: 3) (s)', 'X ← s(alpha: 3)', '3 ← s(alpha: 3)'],
      ],
    ],
    [
      'parameter half = 0.5\nmetric m(beta = half) = X ^ half * beta',
      ['mul ← X ^ half * beta', 'power ← X ^ half', 'X ← X', '0.5 ← half (half)', '0.5 ← beta (beta)'],
    ],
    ['metric m = div((W), ((X)))', ['div ← div((W), ((X)))', 'W ← W', 'X ← X']],
  ];
  it.each(table)('%j', (text, nodes) => {
    expect(traced(text)).toEqual(nodes);
  });

  it.each([
    'metric m = tnah(W)',
    'metric m = W *',
    'metric m = W + other',
    'metric n = W',
    'metrc m = W',
    'model m = "a"',
    'metric m = m',
    'metric n = W\nmetric m = n +\nmetric o = X',
    '',
  ])('%j has none', (text) => {
    expect(traced(text)).toBeUndefined();
  });

  it('of two metrics with one name is that of the first', () => {
    expect(traced('metric m = W\nmetric m = X')).toEqual(['W ← W']);
  });

  it('keeps its places when text before it changes', () => {
    const before = compile('metric m = abs(W)');
    const text = '/// new\nmetric a = X\nmetric m = abs(W)';
    const origins = traceMetric(compile(text, before), 'm')?.origins ?? [];
    expect(origins.map(({ span }) => text.slice(span.start, span.end))).toEqual(['abs(W)', 'W']);
  });

  it('of a metric that is deep or long', () => {
    const deep = `${'abs(neg('.repeat(30)}W${'))'.repeat(30)}`;
    expect(traced(`metric m = ${deep}`)).toHaveLength(61);
    expect(traced(`metric m = ${Array.from({ length: 60 }, () => 'W').join(' + ')}`)).toHaveLength(119);
  });
});
