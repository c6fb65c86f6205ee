import * as z from 'zod';
import { isInRange, rangeText } from './settingRow.ts';
import type { SettingRow, SettingTable, ValueOf } from './settingRow.ts';

/** The settings of a table as they come from outside: all of them, and no others. */
export function settingsSchemaOf<const Table extends SettingTable>(table: Table) {
  const entries = Object.entries(table).map(([name, row]) => [name, settingSchema(row)]);
  return z.strictObject(
    Object.fromEntries(entries) as { readonly [Name in keyof Table]: z.ZodType<ValueOf<Table[Name]>> },
  );
}

function settingSchema(row: SettingRow): z.ZodType {
  const schema = valueSchema(row);
  return row.isLater ? schema.default(row.default) : schema;
}

function valueSchema(row: SettingRow): z.ZodType<SettingRow['default']> {
  if (row.kind === 'choice') return z.enum([...row.choices]);
  if (row.kind === 'text') return z.string().max(65_536);
  if (row.kind === 'list') return z.array(z.int().min(row.minimum).max(row.maximum)).min(1).max(row.most);
  const number = row.kind === 'integer' ? z.int() : z.number();
  return row.orZero
    ? number.refine((value) => isInRange(row, value), `expected ${rangeText(row)}`)
    : number.min(row.minimum).max(row.maximum);
}
