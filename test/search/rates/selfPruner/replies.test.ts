import { describe, expect, it } from 'vitest';
import { parseReply } from '../../../../src/search/rates/selfPruner/parseReply.ts';
import { rateSpace, ratesKey } from '../../../../src/search/rates/rates.ts';

// Replies as language models write them, for four blocks and a mean of 0.3. What is expected of one are the lists that a person would
// read in it, or why there are none.

const BLOCK = { groups: 2, groupWeights: 64, channels: 10, channelWeights: 24 };
const spaceOf = (blocks: number, mean: number): ReturnType<typeof rateSpace> =>
  rateSpace(
    Array.from({ length: blocks }, () => BLOCK),
    mean,
  );

function told(
  text: string,
  { blocks = 4, mean = 0.3, count = 10, known = [] as readonly string[] } = {},
): readonly string[] {
  const space = spaceOf(blocks, mean);
  const keys = new Set(known.map((list) => ratesKey(list.split(' ').map(Number))));
  const { lists, refused } = parseReply(text, { space, count, known: keys });
  return [...lists.map(({ rates, repaired }) => `${repaired ? '~' : ''}${rates.join(' ')}`), ...refused];
}

const A = '0.1 0.2 0.3 0.6';
const B = '0.4 0.3 0.2 0.3';
const a = '0.10000, 0.20000, 0.30000, 0.60000';
const b = '0.40000, 0.30000, 0.20000, 0.30000';
const OTHER = 'it is called something else than an answer (an example, a parent, a draft, a range, ...)';
const SENTENCE = 'it stands within a sentence';
const WITHDRAWN = 'it was taken back further on';

describe('a person would read', () => {
  it.each<readonly [string, string, ...string[]]>([
    // Brackets, and what stands between them.
    ['a comma too many', `[${a},]`, A],
    ['a comma too many, over several lines', '[\n  0.1,\n  0.2,\n  0.3,\n  0.6,\n]', A],
    ['quoted numbers', '["0.1", "0.2", "0.3", "0.6"]', A],
    ['single quotes', "['0.1', '0.2', '0.3', '0.6']", A],
    ['typographic quotes', '[“0.1”, “0.2”, “0.3”, “0.6”]', A],
    ['blanks for commas', '[0.1 0.2 0.3 0.6]', A],
    ['tabs for commas', '[0.1\t0.2\t0.3\t0.6]', A],
    ['a printed NumPy array', 'array([[0.1, 0.2, 0.3, 0.6],\n       [0.4, 0.3, 0.2, 0.3]])', A, B],
    ['an array that NumPy prints without commas', '[[0.1 0.2 0.3 0.6]\n [0.4 0.3 0.2 0.3]]', A, B],
    ['semicolons', '[0.1; 0.2; 0.3; 0.6]', A],
    ['full-width commas', '[0.1，0.2，0.3，0.6]', A],
    ['Chinese punctuation', '以下是配置：\n【0.1、0.2、0.3、0.6】\n［0.4，0.3，0.2，0.3］', A, B],
    ['full-width digits', '[０.１, ０.２, ０.３, ０．６]', A],
    ['Arabic digits', '[٠٫١، ٠٫٢، ٠٫٣، ٠٫٦]', A],
    ['no-break spaces', '[0.1,\u00a00.2,\u20090.3,\u202f0.6]', A],
    ['zero-width spaces', '[0.1,\u200b 0.2, 0.3, 0.6]\ufeff', A],
    ['decimal commas', '[0,1; 0,2; 0,3; 0,6]', A],
    ['exponents', '[1e-1, 2.0E-1, 3e-01, 6e-1]', A],
    ['percents', '[10%, 20%, 30%, 60%]', A],
    ['percents with decimals', '[12.345%, 20 %, 27.655%, 60.0%]', '0.12345 0.2 0.27655 0.6'],
    ['no zeros before the point', '[.1, .2, .3, .6]', A],
    ['a line without a comma at its end', '[0.1, 0.2\n 0.3, 0.6]', A],
    ['round brackets', '(0.1, 0.2, 0.3, 0.6)\n(0.4, 0.3, 0.2, 0.3)', A, B],
    ['an array of C', 'float rates[4] = {0.1, 0.2, 0.3, 0.6};', A],
    ['a minus of its own', '[−0.00001, 0.30001, 0.3, 0.6]', '~0 0.30001 0.29999 0.6'],
    ['blocks in the list', '[Block 0: 0.1, Block 1: 0.2, Block 2: 0.3, Block 3: 0.6]', A],
    ['notes in the list', '[0.1 (sensitive), 0.2, 0.3, 0.6 (robust)]', A],

    // Comments.
    [
      'comments of Python',
      '```python\nrates = [\n    0.1,  # block 0, keep\n    0.2,  # was 0.25\n    0.3,\n    0.6,  # last\n]\n```',
      A,
    ],
    ['comments of JavaScript', '[\n  0.1, // first [of 4]\n  0.2, /* 0.9, */\n  0.3,\n  0.6 // last\n]', A],
    ['a comment beside the first bracket', '[  # configuration 1\n0.1,  # keep 0.9\n0.2,\n0.3,\n0.6\n]', A],
    ['a comment beside a list', `[${a}]  # mean = 0.30000, front to back\n[${b}]  // mean 0.3`, A, B],
    [
      'a list in a comment',
      '```python\n# e.g. [0.25, 0.35, 0.25, 0.35]\nconfigs = [\n    [0.1, 0.2, 0.3, 0.6],\n]\n```',
      A,
    ],
    ['a list in a block comment', `/* [0.25, 0.35, 0.25, 0.35] */\n[${a}]`, A],
    ['a list in a comment of HTML', `<!-- [0.25, 0.35, 0.25, 0.35] -->\n[${a}]`, A],
    [
      'comments that number the lists',
      `\`\`\`python\n[\n  # Configuration 1\n  [${a}],\n  # Configuration 2\n  [${b}],\n]\n\`\`\``,
      A,
      B,
    ],

    // LaTeX, Markdown, HTML, data formats.
    ['LaTeX', '\\[0.1, 0.2, 0.3, 0.6\\]', A],
    ['LaTeX with a name', '\\[\nr_1 = [0.1,\\, 0.2,\\, 0.3,\\, 0.6]\n\\]', A],
    ['LaTeX with large brackets', '$$\\mathbf{p} = \\left[ 0.1, 0.2, 0.3, 0.6 \\right]$$', A],
    ['a matrix of LaTeX', '\\begin{bmatrix} 0.1 & 0.2 & 0.3 & 0.6 \\end{bmatrix}', A],
    ['a column of LaTeX', '\\begin{pmatrix} 0.1 \\\\ 0.2 \\\\ 0.3 \\\\ 0.6 \\end{pmatrix}', A],
    ['a boxed answer', 'Trying [0.25, 0.35, 0.25, 0.35] first.\n\n\\boxed{[0.1, 0.2, 0.3, 0.6]}', A],
    ['bold and code', `1. **\`[${a}]\`**\n2. *[${b}]*`, A, B],
    ['bold numbers', '[**0.1**, 0.2, *0.3*, 0.6]', A],
    ['a quotation', `> [${a}]\n> [${b}]`, A, B],
    [
      'JSON',
      `{"configurations": [\n  {"name": "ramp", "rates": [${a}], "mean": 0.3},\n  {"name": "bump", "rates": [${b}], "mean": 0.3}\n]}`,
      A,
      B,
    ],
    ['JSON by blocks', '{"block_0": 0.1, "block_1": 0.2, "block_2": 0.3, "block_3": 0.6}', A],
    ['JSON by blocks, out of order', '{"0": 0.1, "2": 0.3, "1": "0.2", "3": 0.6}', A],
    [
      'JSON by blocks, over lines',
      '{\n  "layer_1": 0.1,\n  "layer_2": 0.2,\n  "layer_3": 0.3,\n  "layer_4": 0.6\n}',
      A,
    ],
    [
      'JSON of objects',
      '[{"block": 0, "rate": 0.1}, {"block": 1, "rate": 0.2}, {"block": 2, "rate": 0.3}, {"block": 3, "rate": 0.6}]',
      A,
    ],
    ['JSON of strings', `{"lists": ["${a}", "${b}"]}`, A, B],
    ['JSON in a string', '"[[0.1, 0.2, 0.3, 0.6],\\n[0.4, 0.3, 0.2, 0.3]]"', A, B],
    [
      'YAML',
      'configurations:\n  - rates: [0.1, 0.2, 0.3, 0.6]\n  - rates:\n    - 0.4\n    - 0.3\n    - 0.2\n    - 0.3\n',
      A,
      B,
    ],
    ['YAML of lists', '- - 0.1\n  - 0.2\n  - 0.3\n  - 0.6\n- - 0.4\n  - 0.3\n  - 0.2\n  - 0.3\n', A, B],
    ['XML', '<configuration id="1">0.1, 0.2, 0.3, 0.6</configuration>\n<list>[0.4, 0.3, 0.2, 0.3]</list>', A, B],
    ['assignments', 'rates[0] = 0.1\nrates[1] = 0.2\nrates[2] = 0.3\nrates[3] = 0.6', A],
    ['CSV', '```csv\nblock_0,block_1,block_2,block_3\n0.1,0.2,0.3,0.6\n0.4,0.3,0.2,0.3\n```', A, B],
    [
      'a table',
      '| # | Block 0 | Block 1 | Block 2 | Block 3 | Mean |\n|---|---|---|---|---|---|\n| 1 | 0.1 | 0.2 | 0.3 | 0.6 | 0.3 |\n| 2 | 0.4 | 0.3 | 0.2 | 0.3 | 0.3 |',
      A,
      B,
    ],
    [
      'a table of blocks',
      '| Block | Config A | Config B |\n|:--|--:|--:|\n| 0 | 0.1 | 0.4 |\n| 1 | 0.2 | 0.3 |\n| 2 | 0.3 | 0.2 |\n| 3 | 0.6 | 0.3 |\n| **Mean** | 0.3 | 0.3 |',
      A,
      B,
    ],
    ['a table of lists', `| Name | Rates |\n|---|---|\n| ramp | [${a}] |\n| bump | ${b} |`, A, B],
    [
      'a table of HTML',
      '<table><tr><th>Block 1</th><th>Block 2</th><th>Block 3</th><th>Block 4</th></tr><tr><td>0.1</td><td>0.2</td><td>0.3</td><td>0.6</td></tr></table>',
      A,
    ],

    // Lines without brackets.
    ['lines', `${a}\n${b}\n`, A, B],
    ['numbered lines', `1. ${a}\n2. ${b}`, A, B],
    ['numbered lines of another kind', `1) ${a}\n(2) ${b}`, A, B],
    ['numbered lines with blanks', '1. 0.1 0.2 0.3 0.6\n2. 0.4 0.3 0.2 0.3', A, B],
    ['bullets', `- ${a}\n* ${b}`, A, B],
    ['labelled lines', `Configuration 1: ${a}\n**Configuration 2:** ${b}`, A, B],
    ['lines with notes', `1. ${a} (front to back)\n2. ${b} - a bump in front`, A, B],
    [
      'a line that is wrapped',
      'Configuration 1:\n0.1, 0.2,\n0.3, 0.6\n\nConfiguration 2:\n0.4, 0.3,\n0.2, 0.3\n',
      A,
      B,
    ],
    ['a line that labels its blocks', 'Block 0: 0.1, Block 1: 0.2, Block 2: 0.3, Block 3: 0.6', A],
    ['a line for each block', 'Block 0: 0.1\nBlock 1: 0.2\nBlock 2: 0.3\nBlock 3: 0.6', A],
    [
      'a line for each block, with reasons',
      '- **Block 1**: 0.1 – sensitive, keep\n- **Block 2**: 0.2\n- **Block 3**: 0.3 (middle)\n- **Block 4**: 0.6',
      A,
    ],
    [
      'a line for each block, twice',
      'Config A\nBlock 0: 0.1\nBlock 1: 0.2\nBlock 2: 0.3\nBlock 3: 0.6\n\nConfig B\nBlock 0: 0.4\nBlock 1: 0.3\nBlock 2: 0.2\nBlock 3: 0.3',
      A,
      B,
    ],
    ['a numbered line for each block', '1. 0.1\n2. 0.2\n3. 0.3\n4. 0.6', A],
    ['headings', `### Front to back\n\n${a}\n\n### Bump\n\n[${b}]`, A, B],

    // Words around.
    ['a name of each', `Front-loaded: [${a}]\nBump - [${b}] (mean = 0.30000)`, A, B],
    [
      'reasons below each',
      `1. [${a}]\n   This keeps block 0, since it matters most.\n2. [${b}]\n   Here blocks 1 and 2 are kept.`,
      A,
      B,
    ],
    ['what each should give', `[${a}] 11.9\n[${b}] 12.1`, A, B],
    ['a program', `def configs():\n    return [[${a}],\n            [${b}]]`, A, B],
  ])('%s', (_, text, ...lists) => {
    expect(told(text)).toEqual(lists);
  });
});

describe('no answer is', () => {
  it.each<readonly [string, string, ...string[]]>([
    ...[
      'think',
      'thinking',
      'thought',
      'reasoning',
      'Thinking',
      'scratchpad',
      'analysis',
      'reflection',
      'seed:think',
      'antThinking',
    ].map((tag): readonly [string, string, string] => [
      `what stands in <${tag}>`,
      `<${tag}>maybe [${b}]</${tag}>\n[${a}]`,
      A,
    ]),
    ['a thought without an end', `<thinking>\nI start with\n[${b}]\nand then`],
    ['a thought without a beginning', `I start with\n[${b}]\n</thinking>\n[${a}]`, A],
    ['a thought in a thought', `<thinking>one <think>two</think> [${b}]</thinking>[${a}]`, A],
    ['thoughts between answers', `<think>hm</think>[${a}]<think>[0.2, 0.4, 0.2, 0.4]</think>[${b}]`, A, B],
    ['a thought of Mistral', `[THINK]maybe [${b}][/THINK][${a}]`, A],
    ['a thought of Kimi', `◁think▷maybe [${b}]◁/think▷[${a}]`, A],
    [
      'a thought with bars',
      `<|begin_of_thought|>[${b}]<|end_of_thought|>\n<|begin_of_solution|>[${a}]<|end_of_solution|>`,
      A,
    ],
    [
      'another channel',
      `<|channel|>analysis<|message|>try [${b}]<|end|><|start|>assistant<|channel|>final<|message|>[${a}]`,
      A,
    ],
    ['a thought as Ollama prints it', `Thinking...\nmaybe\n[${b}]\n...done thinking.\n\n[${a}]`, A],
    ['a thought with escaped brackets', `&lt;think&gt;[${b}]&lt;/think&gt;[${a}]`, A],
    ['what stands beside a marked answer', `I weigh [${b}].\n<answer>\n[${a}]\n</answer>`, A],
    ['an answer marked in a thought', `<think>so <answer>[${b}]</answer>?</think><answer>[${a}]</answer>`, A],

    ['a draft before a final answer', `First draft:\n[${b}]\n\nFinal answer:\n[${a}]`, A],
    ['an unnamed draft before a final answer', `[${b}]\nThe mean is right.\n\n**Final answer**\n\n[${a}]`, A],
    ['what is taken back', `[${b}]\n\nWait, block 1 matters more. Let me adjust:\n\n[${a}]`, A, WITHDRAWN],
    ['what is corrected', `[${b}]\nCorrected: [${a}]`, A, WITHDRAWN],
    ['a section of reasoning', `## Reasoning\n\nI begin with these:\n[${b}]\n\n## Configurations\n\n[${a}]`, A, OTHER],
    ['a parent', `Parent 1: [${b}]\nChild: [${a}]`, A, OTHER],
    [
      'parents under a heading',
      `Parents:\n\n- [${b}]\n- [0.2, 0.4, 0.2, 0.4]\n\nOffspring:\n\n- [${a}]`,
      A,
      OTHER,
      OTHER,
    ],
    ['parents in JSON', `{"parents": [[${b}], [0.2, 0.4, 0.2, 0.4]], "children": [[${a}]]}`, A, OTHER, OTHER],
    ['a parent before an arrow', `[${b}] → [${a}]`, A, OTHER],
    [
      'parents of a child',
      `Crossover of parent 1 ([${b}]) and parent 2 ([0.2, 0.4, 0.2, 0.4]): [${a}]`,
      A,
      SENTENCE,
      SENTENCE,
    ],
    ['an example', `Example: [${b}]\n\n[${a}]`, A, OTHER],
    ['importance', `Importance: [0.3, 0.4, 0.2, 0.3]\nRates: [${a}]`, A, OTHER],
    ['a step', `Deltas: [0.3, 0.4, 0.2, 0.3]\n[${a}]`, OTHER, OTHER],
    [
      'a column of a table that is old',
      '| Block | Old | New |\n|--|--|--|\n| 0 | 0.4 | 0.1 |\n| 1 | 0.3 | 0.2 |\n| 2 | 0.2 | 0.3 |\n| 3 | 0.3 | 0.6 |',
      A,
      OTHER,
    ],

    ['a list in a sentence', `I looked at [${b}] and liked it.`, SENTENCE],
    ['a list in a sentence, in round brackets', 'The rates (0.1, 0.2, 0.3, 0.6) are bad for the model.', SENTENCE],
    ['a list that is judged', `[${b}] is the best so far.`, SENTENCE],
    ['a list that is judged bad', `[${b}] (mean too high)`, OTHER],
    ['a list to be calculated with', `[${b}] * 0.9`, 'it is part of a calculation'],
    [
      'a sum',
      `0.5 * [${b}] + 0.5 * [0.2, 0.4, 0.2, 0.4]`,
      'it is part of a calculation',
      'it is part of a calculation',
    ],
    ['numbers in prose', 'Blocks 0, 1, 2 and 3 have the rates 0.1, 0.2, 0.3 and 0.6.'],
    ['a sentence over lines', 'In the paper the rates of the blocks were\n0.1, 0.2, 0.3, 0.6\nand so on.', SENTENCE],
    [
      'a count of configurations',
      'Mean of configuration 1: 0.1\nMean of configuration 2: 0.2\nMean of configuration 3: 0.3\nMean of configuration 4: 0.6',
    ],
    ['the rates of one block', `Block 0: ${a}`, OTHER],
    ['a citation', 'As shown in [1, 2, 3] and [5], see [Fig. 2].', 'it has 3 numbers instead of 4'],
    ['steps', '1. Look at block 0.\n2. Keep 0.3 of it.\n3. Go on.\n4. Stop.'],
  ])('%s', (_, text, ...expected) => {
    expect(told(text)).toEqual(expected);
  });

  it.each([
    'Each rate is in [0, 1].',
    'Rates in [0, 1] with mean 0.5.',
    'The range: [0, 1]',
    'Range = [0.0, 1.0]',
    '[0, 1]',
    'All are within (0, 1) and [0.3, 0.7].',
    'Bounds: [0.3, 0.7]',
    'Blocks: 0, 1',
    'between 0.3, 0.7',
  ])('a range, for a model of two blocks: %s', (text) => {
    expect(told(text, { blocks: 2, mean: 0.5 }).every((line) => !/^~?[\d.]+ [\d.]+$/.test(line))).toBe(true);
  });

  it('of more lists than were wanted, those that come first: they may be drafts', () => {
    expect(told(`[${b}]\n\nand so\n\n[${a}]`, { count: 1 })).toEqual([A]);
  });

  it('what the prompt has shown', () => {
    expect(told(`[${b}] 12.345\n[${a}] 11.9`, { known: [B] })).toEqual([A, 'it was there already']);
  });
});

describe('a list is refused', () => {
  it.each<readonly [string, string, string | RegExp]>([
    ['that leaves numbers out', '[0.1, 0.2, …, 0.6]', '"..." is not a decimal number'],
    ['that leaves numbers out in LaTeX', '\\[0.1, 0.2, \\ldots, 0.6\\]', '"..." is not a decimal number'],
    ['that is too short', '[0.1, 0.2, 0.3]', 'it has 3 numbers instead of 4'],
    ['that is too short, on a line', '0.1, 0.2, 0.3', 'it has 3 numbers instead of 4'],
    ['that is too short, one a line', 'Block 0: 0.1\nBlock 1: 0.2\nBlock 2: 0.3', 'it has 3 numbers instead of 4'],
    ['that is too long', '0.1, 0.2, 0.3, 0.3, 0.6', 'it has 5 numbers instead of 4'],
    ['that has a number missing', '[0.1, , 0.3, 0.6, 0.2]', 'it has two commas in a row'],
    ['that has percents and others', '[10%, 0.2, 30%, 60%]', 'it has percents and other numbers'],
    ['in percents without a sign', '[10, 20, 30, 60]', '10 is not between 0 and 1'],
    ['of ranges', '[0.1-0.2, 0.2, 0.3, 0.6]', '"0.1-0.2" is not a decimal number'],
    ['of ranges with a dash', '[0.1–0.2, 0.2, 0.3, 0.6]', '"0.1?0.2" is not a decimal number'],
    ['about', '[~0.1, 0.2, 0.3, 0.6]', '"~0.1" is not a decimal number'],
    ['of fractions', '[1/10, 1/5, 3/10, 3/5]', '"1/10" is not a decimal number'],
    ['of powers', '[0.1**2, 0.2, 0.3, 0.6]', '"0.1**2" is not a decimal number'],
    ['with null', '[null, 0.2, 0.3, 0.6]', '"null" is not a decimal number'],
    ['with true', '[true, 0.2, 0.3, 0.6]', '"true" is not a decimal number'],
    ['with NaN', '[NaN, 0.2, 0.3, 0.6]', '"NaN" is not a decimal number'],
    ['with infinity', '[1e999, 0.2, 0.3, 0.6]', '"1e999" is not between 0 and 1'],
    ['with hexadecimals', '[0x1, 0.2, 0.3, 0.6]', '"0x1" is not a decimal number'],
    [
      'with blocks of several',
      '[Blocks 0-1: 0.15, Block 2: 0.3, Block 3: 0.6, Block 4: 0.1]',
      /is not a decimal number/,
    ],
    [
      'with blocks that are not in a row',
      '["block_0": 0.1, "block_2": 0.2, "block_4": 0.3, "block_6": 0.6]',
      /not numbered one/,
    ],
    ['whose blocks begin in the middle', 'Block 4: 0.1\nBlock 5: 0.2\nBlock 6: 0.3\nBlock 7: 0.6', /not numbered from/],
    ['that is cut off', '[0.1, 0.2, 0.3, 0.6', 'its closing bracket is missing'],
    ['that may be cut off', `${b}\n0.12345, 0.23456, 0.34567, 0.4`, 'its last number may be cut off'],
    ['that may begin with a number of its own', '1, 0.1, 0.1, 0.1', /^its first number may be no rate/],
    ['of nothing but 0 and 1', '[0, 1, 0, 0]', 'it has only 0 and 1'],
    ['of a table without a head', '| 0 | 0.2 | 0.3 | 0.6 | 0.1 |', 'it has 5 numbers instead of 4'],
    ['with two numbers where one should be', '[0.1, 0.2 0.3, 0.6, 0.1]', '"0.2 0.3" is not a decimal number'],
    ['with a calculation in it', '[0.1, 0.1*2, 0.3, 0.6]', '"0.1*2" is not a decimal number'],
    ['with a change in it', '[0.1, 0.2→0.3, 0.3, 0.6]', /is not a decimal number/],
  ])('%s', (_, text, reason) => {
    const all = told(text);
    expect(all.at(-1)).toMatch(reason);
    expect(all.filter((line) => line.startsWith('0.1 ') || line.startsWith('~'))).toEqual([]);
  });
});
