import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { defaultsOf, undecidingOf, writtenDefault } from '../../src/experiment/settingRow.ts';
import type { SettingsOf, SettingTable } from '../../src/experiment/settingRow.ts';
import { settingsSchemaOf } from '../../src/experiment/settingSchema.ts';
import { LIST_ROWS } from '../support/listRows.ts';

const TABLE = {
  ...LIST_ROWS,
  stages: {
    kind: 'list',
    default: [1],
    minimum: 0,
    maximum: 9,
    most: 2,
    decidesResult: false,
    isLater: true,
    documentation: 'of another kind',
  },
  mode: { kind: 'choice', default: 'on', choices: ['on', 'off'], documentation: 'a choice' },
  share: { kind: 'number', default: 0.5, minimum: 0, maximum: 1, documentation: 'a share' },
  note: { kind: 'text', default: '', documentation: 'a text' },
} as const satisfies SettingTable;
const SCHEMA = settingsSchemaOf(TABLE);

describe('a table of settings with lists', () => {
  it('has types and defaults as its rows have them', () => {
    interface Expected {
      readonly survivors: readonly number[];
      readonly stages: readonly number[];
      readonly mode: 'on' | 'off';
      readonly share: number;
      readonly note: string;
    }
    expectTypeOf<SettingsOf<typeof TABLE>>().toEqualTypeOf<Expected>();
    expect(defaultsOf(TABLE)).toEqual({ survivors: [8, 2, 1], stages: [1], mode: 'on', share: 0.5, note: '' });
    expect(undecidingOf(TABLE, defaultsOf(TABLE))).toEqual({ stages: [1] });
    expect(Object.values(TABLE).map(writtenDefault)).toEqual(['[8, 2, 1]', '[1]', 'on', '0.5', '""']);
  });

  it('is read from outside as it was written, and what was not there before by its default', () => {
    const { stages, ...before } = defaultsOf(TABLE);
    expect(SCHEMA.parse(before)).toEqual({ ...before, stages });
    const { survivors, ...without } = defaultsOf(TABLE);
    expect(survivors).toEqual([8, 2, 1]);
    expect(SCHEMA.safeParse(without).success).toBe(false);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1024 }), { minLength: 1, maxLength: 4 }), (list) => {
        const settings = { ...defaultsOf(TABLE), survivors: list };
        expect(SCHEMA.parse(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
      }),
    );
  });

  it.each([
    [[]],
    [[8, 2, 1, 1, 1]],
    [[0]],
    [[8, 1025]],
    [[-1]],
    [[1.5]],
    [[8, null]],
    [['8']],
    [[[8]]],
    [8],
    ['8'],
    [{}],
  ])('takes no %j from outside', (survivors) => {
    expect(SCHEMA.safeParse({ ...defaultsOf(TABLE), survivors }).success).toBe(false);
  });
});
