import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { EspalierError } from '../../../src/base/errors.ts';
import { askedSearch } from '../../../src/cli/flags/askedSearch.ts';
import { addAllSearchFlags } from '../../../src/cli/flags/searchFlags.ts';
import { settingFlag } from '../../../src/cli/flags/settingFlags.ts';
import type { CommandContext } from '../../../src/cli/commands/commandContext.ts';
import { createTerminal } from '../../../src/cli/terminal.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { LIST_ROWS } from '../../support/listRows.ts';

// Here searches have settings that are lists: for masks `survivors`; for metrics `tokens`, which for masks are a number.
vi.mock(import('../../../src/search/masks/settings.ts'), async (original) => {
  const [{ defaultsOf }, rows] = await Promise.all([
    import('../../../src/experiment/settingRow.ts'),
    import('../../support/listRows.ts'),
  ]);
  const actual = await original();
  const table = { ...actual.MASK_SEARCH_SETTINGS, ...rows.LIST_ROWS };
  return { ...actual, MASK_SEARCH_SETTINGS: table, DEFAULT_MASK_SEARCH_SETTINGS: defaultsOf(table) };
});
vi.mock(import('../../../src/search/metrics/settings.ts'), async (original) => {
  const [{ defaultsOf }, rows] = await Promise.all([
    import('../../../src/experiment/settingRow.ts'),
    import('../../support/listRows.ts'),
  ]);
  const actual = await original();
  const table = { ...actual.METRIC_SEARCH_SETTINGS, ...rows.LIST_OF_TOKENS };
  return { ...actual, METRIC_SEARCH_SETTINGS: table, DEFAULT_METRIC_SEARCH_SETTINGS: defaultsOf(table) };
});

const FOLDER = mkdtempSync(path.join(tmpdir(), 'espalier-lists-'));
afterAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
});
const HEAD = 'model tiny = "m"\ncorpus test = "t"\nparameter two = 2\n';
const SEARCH = 'search s { method: policy-gradient model: tiny evaluate: test calibrate: test survivors: [16, 4] }\n';
writeFileSync(path.join(FOLDER, 'masks.prune'), HEAD + SEARCH);

const context = {
  folder: FOLDER,
  terminal: createTerminal({ write: () => true }, { write: () => true }, {}),
} as CommandContext;
const INPUTS = { model: 'm', text: 't', calibration: 'c' };

/** The settings of the search that a command line asks for. */
async function settingsOf(words: readonly string[], file?: string) {
  const command = addAllSearchFlags(new Command()).exitOverride();
  command.parse(words, { from: 'user' });
  const options = { ...(file === undefined && INPUTS), ...command.opts() };
  return (await askedSearch(file, options, context)).plan.search;
}

const MASKS = ['--method', 'policy-gradient'];
const refused = async (...words: string[]): Promise<EspalierError> => failureOf(() => settingsOf([...MASKS, ...words]));

describe('a setting that is a list, as a flag', () => {
  it.each([
    ['8,2,1', [8, 2, 1]],
    ['8, 2', [8, 2]],
    ['[8,2,1]', [8, 2, 1]],
    [' [ 8 ]', [8]],
    ['8', [8]],
  ])('is typed %j', async (typed, survivors) => {
    expect(await settingsOf([...MASKS, '--survivors', typed])).toMatchObject({ survivors });
  });

  it('lies over the list of a file, in whose names it is read', async () => {
    expect(await settingsOf([], 'masks.prune')).toMatchObject({ survivors: [16, 4] });
    expect(await settingsOf(['--survivors', '4,two'], 'masks.prune')).toMatchObject({ survivors: [4, 2] });
  });

  it('may be a number of another method', async () => {
    expect(await settingsOf(['--tokens', '64,128'])).toMatchObject({ tokens: [64, 128] });
    expect(await settingsOf([...MASKS, '--tokens', '64'])).toMatchObject({ tokens: 64 });
    const { data } = await refused('--tokens', '64,128');
    expect(data).toMatchObject({ code: 'cli/usage', expected: '--tokens with a whole number from 2 to 1048576' });
  });

  it.each([
    ['8,0', '"8,0": each of --survivors is a whole number from 1 to 1024, not 0'],
    ['2.5', '"2.5": each of --survivors is a whole number from 1 to 1024, not 2.5'],
    ['8,50%', '"8,50%": each of --survivors is a whole number'],
    ['8,2,1,1,1', '"8,2,1,1,1": --survivors has 1 to 4 numbers, not 5'],
    ['8,all', '"8,all"'],
    ['[8],[2]', '"[8],[2]": --survivors takes one value'],
    ['', '"": expected an operand, a metric, a number or `(`, found `]`'],
    ['8,', '"8,": expected an operand, a metric, a number or `(`, found `]`'],
  ])('is refused where it is %j', async (typed, actual) => {
    const { data } = await refused('--survivors', typed);
    expect(data).toMatchObject({
      code: 'cli/usage',
      expected: '--survivors with a list of 1 to 4 whole numbers from 1 to 1024, such as 8,2,1',
      actual,
    });
  });

  it('is told to belong to another method', async () => {
    const failure = await failureOf(() => settingsOf(['--survivors', '8,2']));
    expect(failure.data).toMatchObject({ code: 'cli/usage', expected: '--survivors with a method that has it' });
  });

  it('stands in the help with its default as it is typed', () => {
    const help = addAllSearchFlags(new Command()).helpInformation().replaceAll(/\s+/g, ' ');
    expect(help).toContain('; policy-gradient: configurations that survive each stage (default: 8,2,1)');
    expect(help).toContain(
      '--tokens <list|count> pruner-zero, random: tokens that each stage measures on (default: 2048,16384);',
    );
    const { flags, description } = settingFlag('survivors', LIST_ROWS.survivors);
    expect([flags, description]).toEqual([
      '--survivors <list>',
      'configurations that survive each stage (default: 8,2,1)',
    ]);
  });
});
