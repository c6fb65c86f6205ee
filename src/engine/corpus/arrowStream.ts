import { EspalierError } from '../../base/errors.ts';
import { reasonOf } from '../../files/fileProblem.ts';
import { type ArrowColumn, arrowColumn, BatchValues } from './arrowValues.ts';
import { corpusError, damaged } from './corpusError.ts';
import { FlatTable } from './flatTable.ts';

type Row = Readonly<Record<string, unknown>>;

/** Before each message of a stream. */
const MARK = 0xffffffff;

export function isArrowStream(head: Uint8Array): boolean {
  return head.length >= 4 && head.subarray(0, 4).every((byte) => byte === 0xff);
}

/** Kinds of messages (Message.fbs). */
const SCHEMA = 1;
const RECORDS = 3;

/**
 * The rows of a stream of Arrow (the format's "IPC streaming format"), as the library `datasets` keeps its data sets: texts, numbers, truth values, lists
 * and structs. Neither packed ones nor dictionaries, which it does not write.
 *
 * @param most rows
 * @throws EspalierError `corpus/damaged`, `corpus/format`, `tasks/too-large`
 */
export function readArrowStream(bytes: Uint8Array, file: string, most: number): readonly Row[] {
  try {
    const rows: Row[] = [];
    let columns: readonly ArrowColumn[] | undefined;
    for (const { message, body } of messagesOf(bytes)) {
      const kind = message.byte(1);
      const header = message.table(2);
      if (!header) throw new Error('a message without content');
      if (kind === SCHEMA) columns = readSchema(header, file);
      else if (kind !== RECORDS || header.table(3))
        throw notRead(file, kind === RECORDS ? 'packed records' : 'dictionaries');
      else {
        const length = header.long(0);
        if (rows.length + length > most) throw tooLarge(file, most);
        if (!columns) throw new Error('records before their schema');
        const values = new BatchValues(header.pairs(1), header.pairs(2), body);
        const read = columns.map((column) => values.column(column));
        if (read.some((column) => column.length !== length)) throw new Error(`columns that have no ${length} rows`);
        for (let row = 0; row < length; row++)
          rows.push(Object.fromEntries(columns.map(({ name }, column) => [name, read[column]![row]])));
      }
    }
    if (!columns) throw new Error('no schema');
    return rows;
  } catch (thrown) {
    throw thrown instanceof EspalierError ? thrown : damaged(file, 'Arrow', reasonOf(thrown).slice(0, 200));
  }
}

interface Message {
  readonly message: FlatTable;
  readonly body: Uint8Array;
}

function* messagesOf(bytes: Uint8Array): Generator<Message> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length;) {
    if (view.getUint32(at, true) !== MARK) throw new Error(`no message at byte ${at}`);
    const length = view.getInt32(at + 4, true);
    // The end of the stream.
    if (length === 0) return;
    const begin = at + 8 + length;
    if (length < 0 || begin > bytes.length) throw new Error(`a message of ${length} bytes`);
    const message = FlatTable.root(bytes.subarray(at + 8, begin));
    at = begin + message.long(3);
    if (at > bytes.length) throw new Error('its end too early');
    yield { message, body: bytes.subarray(begin, at) };
  }
}

function readSchema(schema: FlatTable, file: string): readonly ArrowColumn[] {
  if (schema.short(0) !== 0) throw notRead(file, 'numbers with their highest byte first');
  const counter = { columns: 0 };
  return schema.tables(1).map((field) => {
    const column = arrowColumn(field, counter);
    if (typeof column === 'string') throw notRead(file, column);
    return column;
  });
}

function notRead(file: string, actual: string): EspalierError {
  const expected = 'Arrow with texts, numbers, truth values, lists and structs';
  return corpusError('corpus/format', file, expected, actual, 'Write it as Parquet or JSON lines.');
}

function tooLarge(file: string, most: number): EspalierError {
  const remedy = 'Choose the split that is meant.';
  return corpusError('tasks/too-large', file, `tables of at most ${most} rows`, 'more', remedy);
}
