import { isSearchMethod, SEARCH_METHODS } from '../../../src/search/methods.ts';
import { describe, expect, it } from 'vitest';
import { EspalierError } from '../../../src/base/errors.ts';
import { LLM_SETTINGS } from '../../../src/search/llm/settings.ts';
import { SETTINGS } from '../../../src/experiment/settings.ts';
import { compile, parseExpression } from '../../../src/language/check/compile.ts';
import { docComment } from '../../../src/language/syntax/docComment.ts';
import type { Declaration } from '../../../src/language/check/document.ts';
import { BLOCK_KINDS, propertiesOf, propertyOf } from '../../../src/language/check/properties.ts';
import { propertyOfSetting } from '../../../src/language/check/settingProperties.ts';
import { splitBlock, splitFile } from '../../../src/language/syntax/split.ts';
import type { DeclarationSyntax, ExpressionSyntax } from '../../../src/language/syntax/syntax.ts';
import { visitExpression } from '../../../src/language/syntax/syntax.ts';
import { DECLARATION_KEYWORDS } from '../../../src/language/syntax/words.ts';
import { printInfix } from '../../../src/metric/print.ts';
import { SAMPLE } from '../samples.ts';
import { MASK_SEARCH_SETTINGS } from '../../../src/search/masks/settings.ts';
import { METRIC_SEARCH_SETTINGS } from '../../../src/search/metrics/settings.ts';
import { SELF_PRUNER_SETTINGS } from '../../../src/search/rates/selfPruner/settings.ts';

describe('references and parameters', () => {
  const table: [text: string, metric: string][] = [
    ['metric a = W * sqrt(X)', 'W * sqrt(X)'],
    ['metric a = mul(W, sqrt(X))', 'W * sqrt(X)'],
    ['metric a = b + 1\nmetric b = W - X', 'W - X + 1'],
    ['metric a = b * W\nmetric b = W - X', '(W - X) * W'],
    ['parameter p = 1 / 4\nmetric a = W ^ p', 'W ^ 0.25'],
    ['parameter p = q * 2\nparameter q = -3\nmetric a = W * p', 'W * -6'],
    ['metric a(p = 2) = W ^ p', 'W ^ 2'],
    ['metric b(p = 2, q = 3) = W ^ p - q\nmetric a = b(0.5)', 'W ^ 0.5 - 3'],
    ['metric b(p = 2, q = 3) = W ^ p - q\nmetric a = b(q: 1)', 'W ^ 2 - 1'],
    ['metric b(p = 2, q = 3) = W ^ p - q\nmetric a = b(5, q: 7) + b()', 'W ^ 5 - 7 + (W ^ 2 - 3)'],
    ['parameter p = 9\nmetric a(p = 2) = W * p', 'W * 2'],
    ['metric c(p = 1) = W * p\nmetric b(p = 2) = c(p * 10)\nmetric a = b(3)', 'W * 30'],
    ['metric b(p = sqrt(16)) = W + p\nmetric a = b', 'W + 4'],
    ['metric a = -2 * W ^ -X', '-2 * W ^ -X'],
    ['metric a = -W ^ 2', '-W ^ 2'],
    ['metric a = 2 ^ 3 ^ W', '2 ^ 3 ^ W'],
    ['metric a = W - X - G', 'W - X - G'],
    ['metric a = W / X * G', 'W / X * G'],
    ['metric model = W - 1\nmetric a = model * X', '(W - 1) * X'],
    ['metric\n a\n =\n W\n * // a comment\n X', 'W * X'],
    ['model m = "a" metric a = W corpus c = "b"', 'W'],
    ['\uFEFFmetric a = W', 'W'],
    ['metric a = W + 1.5e+2 - .5', 'W + 150 - 0.5'],
  ];
  it.each(table)('%s', (text, expected) => {
    const { declarations, diagnostics } = compile(text);
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const metric = declarations.find(({ name }) => name === 'a' || name === 'model');
    expect(expressionOf(declarations.find(({ name }) => name === 'a') ?? metric)).toBe(expected);
  });

  it.each(['(W ^ X) ^ G|W ^ (X ^ G)|-(W ^ X)', 'W - (X - G)|(W - X) - G|W - X + G', 'W / (X * G)|W / X * G|W * X / G'])(
    'precedence: %s',
    (forms) => {
      const printed = forms.split('|').map((form) => printInfix(parseExpression(form)));
      expect(new Set(printed).size).toBe(printed.length);
    },
  );
});

describe('lone formulas', () => {
  it.each([
    ['', 'at character 1: expected an operand'],
    ['W *', 'at character 3: expected an operand, a metric, a number or `(` after `*`'],
    ['tnah(W)', 'did you mean `tanh`'],
    ['1 + 2', 'is 3 for every weight'],
    ['W\nmetric b = X', 'found `metric`'],
    ['W // * X', undefined],
    [`${'('.repeat(1000)}W`, 'more than 64 parentheses'],
    ['W'.repeat(1_100_000), 'at most 1000000 characters'],
  ])('%s', (text, message) => {
    const read = (): unknown => parseExpression(text);
    if (message === undefined) expect(read).not.toThrow();
    else {
      expect(read).toThrow(EspalierError);
      expect(read).toThrow(message);
    }
  });
});

describe('pieces', () => {
  it('cover the file without gaps', () => {
    const pieces = splitFile(SAMPLE).middle;
    expect(pieces.map(({ start, end }) => SAMPLE.slice(start, end)).join('')).toBe(SAMPLE);
    expect(pieces.flatMap(({ keyword }) => keyword ?? [])).toEqual(
      'model corpus corpus defaults parameter metric metric metric metric experiment experiment search experiment search search search corpus metric experiment'.split(
        ' ',
      ),
    );
  });

  it('leave a block’s frame as long as the block', () => {
    const text = 'experiment a { model: tiny prune: f(p: 2), W at: 2:4 }';
    const { frame, properties } = splitBlock(text);
    expect(frame).toBe(`experiment a {${' '.repeat(text.length - 15)}}`);
    expect(properties.map(({ start, end }) => text.slice(start, end).trim())).toEqual([
      'model: tiny',
      'prune: f(p: 2), W',
      'at: 2:4',
    ]);
  });

  it.each([
    ['metric a = W\n  metric b = X', ['metric', 'metric']],
    ['metric a = W metric b = X', ['metric', 'metric']],
    ['metric a = "metric b = X"', ['metric']],
    ['// metric b = X\nmetric a = W', [undefined, 'metric']],
    ['experiment a {\n model: b\n corpus: c\n}', ['experiment']],
    ['experiment a {\n model: b\nmetric c = W', ['experiment', 'metric']],
    ['experiment a { evaluate: search }', ['experiment']],
    ['metric a = W +\n search', ['metric', 'search']],
    ['metric a = W +\n model', ['metric', 'model']],
    ['metric a =\n W +\n b', ['metric']],
    ['metric a = W\nb', ['metric', undefined]],
    ['metrics = W', [undefined]],
    ['mymodel = W', [undefined]],
  ])('%j', (text, keywords) => {
    expect(splitFile(text).middle.map(({ keyword }) => keyword)).toEqual(keywords);
  });

  it('are parsed again only when they change', () => {
    const first = compile(SAMPLE);
    const at = SAMPLE.indexOf('sqrt(X)');
    const second = compile(`${SAMPLE.slice(0, at)}1 + ${SAMPLE.slice(at)}`, first);
    const trees = first.parsed.declarations.map(({ tree }) => tree);
    const changed = second.parsed.declarations.filter(({ tree }) => !trees.includes(tree));
    expect(changed.map(({ tree }) => tree?.syntax.kind !== 'defaults' && tree?.syntax.name?.text)).toEqual(['wanda']);
  });
});

describe('places', () => {
  it('of every node hold exactly the node', () => {
    const text = 'metric a(p = 1) = -(W + X) ^ p * sqrt( add(G , 2) ) / ((f(q : 3)))';
    const tree = compile(text).parsed.declarations[0]!.tree!.syntax as Extract<DeclarationSyntax, { kind: 'metric' }>;
    const found: string[] = [];
    visitExpression(tree.body, (node: ExpressionSyntax) => {
      found.push(`${node.kind}: ${text.slice(node.span.start, node.span.end)}`);
    });
    expect(found).toEqual([
      'binary: -(W + X) ^ p * sqrt( add(G , 2) ) / ((f(q : 3)))',
      'binary: -(W + X) ^ p * sqrt( add(G , 2) )',
      'negation: -(W + X) ^ p',
      'binary: (W + X) ^ p',
      'binary: W + X',
      'name: W',
      'name: X',
      'name: p',
      'call: sqrt( add(G , 2) )',
      'call: add(G , 2)',
      'name: G',
      'number: 2',
      'call: f(q : 3)',
      'number: 3',
    ]);
  });

  it('of declarations hold exactly the declaration', () => {
    const { declarations } = compile(SAMPLE);
    for (const { kind, name, start, end, nameSpan } of declarations) {
      expect(SAMPLE.slice(start, end)).toMatch(new RegExp(`^${kind}[^]*["\\w)}]$`));
      expect(SAMPLE.slice(nameSpan.start, nameSpan.end)).toBe(name);
    }
  });
});

describe('documentation', () => {
  it.each([
    ['/// One.\n/// Two.\nmetric a = W', 'One.\nTwo.'],
    ['///One.  \r\n  ///   Two.\r\n  metric a = W', 'One.\n  Two.'],
    ['/// Far.\n\nmetric a = W', ''],
    ['// Plain.\nmetric a = W', ''],
    ['metric b = X /// not above\nmetric a = W', ''],
    ['/// Same line. metric b = X\nmetric a = W', 'Same line. metric b = X'],
    ['metric a = W', ''],
  ])('%j', (text, expected) => {
    const declaration = compile(text).declarations.find(({ name }) => name === 'a')!;
    expect(docComment(text, declaration.start)).toBe(expected);
  });
});

describe('one source for each fact', () => {
  it('every setting is a property of every block that it makes sense in', () => {
    const settings = Object.keys(SETTINGS) as (keyof typeof SETTINGS)[];
    for (const setting of settings) {
      for (const block of ['experiment', 'defaults'] as const) {
        expect(propertyOf(block, propertyOfSetting(setting))?.setting).toMatchObject({
          of: 'evaluation',
          name: setting,
        });
      }
      if (setting !== 'seed') {
        expect(propertyOf('pruner-zero', propertyOfSetting(setting))?.setting).toMatchObject({ name: setting });
      }
    }
    const tables = [
      ['pruner-zero', 'search', METRIC_SEARCH_SETTINGS],
      ['random', 'search', METRIC_SEARCH_SETTINGS],
      ['self-pruner', 'search', SELF_PRUNER_SETTINGS],
      ['pruner-zero', 'llm', LLM_SETTINGS],
      ['self-pruner', 'llm', LLM_SETTINGS],
      ['policy-gradient', 'search', MASK_SEARCH_SETTINGS],
    ] as const;
    for (const [block, of, table] of tables) {
      for (const name of Object.keys(table)) {
        const expected = name === 'method' ? { of: 'method', name } : { of, name, row: table[name as never] };
        expect(propertyOf(block, name)?.setting).toMatchObject(expected);
      }
    }
    expect(propertiesOf('experiment')).toHaveLength(settings.length + 13);
    expect(propertiesOf('defaults')).toHaveLength(settings.length + 11);
    expect(propertiesOf('pruner-zero')).toHaveLength(
      settings.length - 1 + Object.keys({ ...METRIC_SEARCH_SETTINGS, ...LLM_SETTINGS }).length + 15,
    );
  });

  it('every property’s example is right', () => {
    const inputs = [
      ['model', 'tiny'],
      ['evaluate', 'calib'],
      ['calibrate', 'calib'],
      ['at', '50%'],
    ];
    for (const block of BLOCK_KINDS) {
      for (const { name, example, setting } of propertiesOf(block)) {
        // Sizes are rounded of what goes as a whole.
        const pruned = name === 'roundFor' ? ['prune', 'structure(wanda-sp)'] : ['prune', 'wanda'];
        const others = [...inputs, pruned]
          .filter(([key]) => key !== name && propertyOf(block, key!))
          .map((pair) => pair.join(': '));
        const isForRates = isSearchMethod(block) && SEARCH_METHODS[block].finds === 'rates';
        const head = isSearchMethod(block) ? 'search name' : block === 'defaults' ? block : `${block} name`;
        const method = name !== 'method' && isSearchMethod(block) ? `method: ${block}` : '';
        // What drops layers begins at random.
        const drop = name === 'starts' ? 'drop: sublayers' : '';
        // Nobody is asked for metrics otherwise.
        const asks = setting?.of === 'llm' && name !== 'provider' && block === 'pruner-zero' ? 'proposals: 20%' : '';
        const mean = name === 'baselines' && isForRates ? 'at: 30%' : '';
        const usesWeights = ['group', 'calibration'].includes(name) || name.startsWith('gradient');
        const target = usesWeights && isForRates ? 'target: weights(wanda)' : '';
        const trains = block === 'experiment' && ['recover', 'train', 'validate'].includes(name);
        const training = trains
          ? [
              ['recover', 'lora'],
              ['train', 'test'],
            ].filter(([key]) => key !== name)
          : [];
        // Who asks for nothing says nothing of how.
        if (setting?.of === 'tasks' && block !== 'defaults') others.push('tasks: piqa');
        others.push(...training.map((pair) => pair.join(': ')));
        const own = mean === '' ? others : others.filter((other) => !other.startsWith('at'));
        const declared = `corpus train = "t" ${block === 'corpus' ? `(${example})` : ''}`;
        const whole =
          block === 'corpus'
            ? ''
            : `${head} { ${method} ${example} ${mean} ${target} ${drop} ${asks} ${own.join(' ')} }`;
        const text = `model tiny = "m"\ncorpus test = "t"\ncorpus calib = "c"\nmetric wanda = W * sqrt(X) * G\n${declared}\n${whole}`;
        // Random search takes no proposals, which it says.
        const rounds = name !== 'roundFor' || !isSearchMethod(block) || SEARCH_METHODS[block].finds !== 'metrics';
        const isIdle = !rounds || (block === 'random' && (setting?.of === 'llm' || name === 'proposals'));
        const told = compile(text).diagnostics.map(({ code }) => code);
        expect(told, text).toEqual(isIdle ? ['search/no-effect'] : []);
      }
    }
    expect(DECLARATION_KEYWORDS).toHaveLength(8);
  });
});

function expressionOf(declaration: Declaration | undefined): string | undefined {
  return declaration?.kind === 'metric' && declaration.expression ? printInfix(declaration.expression) : undefined;
}
