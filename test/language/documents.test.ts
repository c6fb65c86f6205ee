import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LLM_SETTINGS } from '../../src/search/llm/settings.ts';
import { SETTINGS } from '../../src/experiment/settings.ts';
import { compile } from '../../src/language/check/compile.ts';
import { DIAGNOSTIC_CODES } from '../../src/language/check/diagnostics.ts';
import { formatted } from '../support/formatted.ts';
import { BLOCK_KINDS, propertiesOf } from '../../src/language/check/properties.ts';
import { DECLARATION_KEYWORDS, isName } from '../../src/language/syntax/words.ts';
import { OPERAND_NAMES } from '../../src/metric/operands.ts';
import { infixSymbol } from '../../src/metric/print.ts';
import { OPERATION_NAMES } from '../../src/metric/operations.ts';
import { rangeText, writtenDefault } from '../../src/experiment/settingRow.ts';
import type { SettingRow } from '../../src/experiment/settingRow.ts';
import { MASK_SEARCH_SETTINGS } from '../../src/search/masks/settings.ts';
import { METRIC_SEARCH_SETTINGS } from '../../src/search/metrics/settings.ts';
import { SELF_PRUNER_SETTINGS } from '../../src/search/rates/selfPruner/settings.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const REFERENCE = read('docs/language.md');

describe('docs/language.md', () => {
  it.each([
    ['operand', OPERAND_NAMES.map((name) => `| \`${name}\` |`)],
    ['operation', OPERATION_NAMES.map((name) => `\`${name}(x`)],
    ['infix symbol', OPERATION_NAMES.flatMap((name) => infixSymbol(name) ?? []).map((symbol) => `\`x ${symbol} y\``)],
    ['property', BLOCK_KINDS.flatMap(propertiesOf).map(({ name }) => `| \`${name}\` |`)],
    ['declaration', DECLARATION_KEYWORDS.map((keyword) => `| \`${keyword} `)],
    ['diagnostic', Object.keys(DIAGNOSTIC_CODES).map((code) => `| \`${code}\` |`)],
    [
      'choice',
      Object.values(SETTINGS).flatMap((row) =>
        row.kind === 'choice' ? row.choices.map((choice) => `\`${choice}\``) : [],
      ),
    ],
    [
      'default',
      Object.values(SETTINGS).map((row) => `| ${row.kind === 'choice' ? `\`${row.default}\`` : row.default} |`),
    ],
  ])('has every %s', (_, entries) => {
    expect(entries.filter((entry) => !REFERENCE.includes(entry))).toEqual([]);
  });

  it.each(Object.entries(METRIC_SEARCH_SETTINGS))('has the default of a search’s %s', (name, row) => {
    const shown = row.kind === 'choice' ? `\`${row.default}\`` : String(row.default);
    const lines = REFERENCE.split('\n').filter((line) => line.startsWith(`| \`${name}\` |`));
    expect(lines.map((line) => line.split(' | ')[2])).toContain(shown);
  });

  it.each(
    Object.entries({ rates: SELF_PRUNER_SETTINGS, masks: MASK_SEARCH_SETTINGS, 'a language model': LLM_SETTINGS }),
  )('has the settings of %s as their table has them, and the command line has their flags', (_, table) => {
    const rows = Object.entries<SettingRow>(table).filter(([name]) => name !== 'method');
    const lines = rows.map(([name, row]) => {
      const value = row.kind === 'choice' || row.kind === 'list' ? `\`${writtenDefault(row)}\`` : String(row.default);
      return `| \`${name}\` | ${valuesOf(row)} | ${value === '' ? '' : `${value} `}| ${row.documentation} |`;
    });
    expect(lines.filter((line) => !REFERENCE.split('\n').includes(line))).toEqual([]);
    const flags = rows.map(([name]) => `\`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
    expect(flags.filter((flag) => !read('docs/command-line.md').includes(flag))).toEqual([]);
  });

  it('has no diagnostic that there is not', () => {
    const named = [...REFERENCE.matchAll(/^\| `([a-z]+\/[a-z-]+)` \|/gm)].map((match) => match[1]!);
    expect(named.sort()).toEqual(Object.keys(DIAGNOSTIC_CODES).sort());
  });

  it('shows files that are right', () => {
    const files = [...REFERENCE.matchAll(/```prune\n([^`]*)```/g)].map((match) => match[1]!);
    expect(files).not.toEqual([]);
    for (const file of files) expectRight(file);
  });
});

describe('the sample’s file', () => {
  it('is right, and laid out', () => {
    expectRight(read('media/sample/metrics.prune'));
  });
});

describe('the editor’s files', () => {
  const grammar = JSON.parse(read('media/prune.tmLanguage.json')) as {
    scopeName: string;
    patterns: { include: string }[];
    repository: Record<string, unknown>;
  };
  const rules = [...JSON.stringify(grammar).matchAll(/"(?:match|begin|end)":("(?:[^"\\]|\\.)*")/g)].map(
    (match) => JSON.parse(match[1]!) as string,
  );

  it('have every operation, operand and keyword', () => {
    const alternatives = rules.map((rule) => /\(([\w|]+)\)(?:\(|\[)/.exec(rule)?.[1]?.split('|') ?? []);
    const sorted = alternatives.map((names) => [...names].sort().join(' '));
    expect(sorted).toContain([...OPERATION_NAMES].sort().join(' '));
    expect(sorted).toContain([...OPERAND_NAMES].sort().join(' '));
    for (const keyword of DECLARATION_KEYWORDS) expect(rules.join('\n')).toMatch(new RegExp(`\\b${keyword}\\b`));
  });

  it('have every choice of a setting', () => {
    const rule = rules.find((source) => source.includes('one-shot'))!;
    const properties = BLOCK_KINDS.flatMap(propertiesOf).filter(({ setting }) => setting?.row.kind === 'choice');
    for (const { name, setting } of properties) {
      const row = setting!.row;
      const choices = row.kind === 'choice' ? row.choices : [];
      for (const choice of choices) {
        expect(new RegExp(rule, 'u').exec(`${name} : ${choice} }`)?.slice(1)).toEqual([name, ':', choice]);
      }
    }
    expect(new RegExp(rule, 'u').test('method: pruner-zero-2')).toBe(false);
  });

  it('refer to rules that there are', () => {
    expect(grammar.scopeName).toBe('source.prune');
    const included = [...JSON.stringify(grammar).matchAll(/"include":"#(\w+)"/g)].map((match) => match[1]!);
    expect(included.sort()).toEqual(Object.keys(grammar.repository).sort());
    for (const rule of rules) expect(() => new RegExp(rule, 'u')).not.toThrow();
  });

  it('take names as the language does', () => {
    const { wordPattern, onEnterRules } = JSON.parse(read('media/language-configuration.json')) as {
      wordPattern: string;
      onEnterRules: { beforeText: string }[];
    };
    for (const name of ['wanda', 'α_1', 'größe', 'Wsigned', '_a']) {
      expect([new RegExp(wordPattern).exec(name)?.[0], isName(name)]).toEqual([name, true]);
    }
    for (const text of ['a-b', 'a b', '×', '1a', '']) {
      expect([new RegExp(`^(?:${wordPattern})$`).test(text), isName(text)]).toEqual([false, false]);
    }
    expect(new RegExp(onEnterRules[0]!.beforeText).test('  /// text')).toBe(true);
    expect(new RegExp(onEnterRules[0]!.beforeText).test('// text')).toBe(false);
  });
});

function valuesOf(row: SettingRow): string {
  if (row.kind === 'text') return 'a text in quotes';
  if (row.kind === 'choice') return row.choices.map((choice) => `\`${choice}\``).join(', ');
  if (row.kind === 'list') return `a list of 1 to ${row.most} ${rangeText(row, 'whole numbers')}`;
  return row.maximum === Number.MAX_SAFE_INTEGER ? 'a whole number' : `${row.minimum} to ${row.maximum}`;
}

function expectRight(file: string): void {
  const document = compile(file);
  expect(document.diagnostics).toEqual([]);
  expect(formatted(document)).toBe(file);
}
