import type { FileMetaData, SchemaElement, SchemaTree } from 'hyparquet';
import { parquetSchema } from 'hyparquet';
import { corpusError } from './corpusError.ts';
import { listed, quoted } from './fieldReader.ts';

/** The column of a table that holds its texts. */
export interface TextColumn {
  /** Of the leaves, as they stand in each row group. */
  readonly index: number;
  /** `a.b` */
  readonly name: string;
  /** How many of the fields on the way to it are there where there is a text. */
  readonly definitionLevel: number;
}

interface Leaf extends TextColumn {
  readonly element: SchemaElement;
  readonly isList: boolean;
}

/**
 * The column that is named; without a name `text`, or the only one of texts.
 *
 * @throws EspalierError `corpus/field`
 */
export function textColumn(metadata: FileMetaData, field: string, file: string): TextColumn {
  const leaves = leavesOf(parquetSchema(metadata));
  const texts = leaves.filter(isText);
  const named = leaves.find(({ name }) => name === (field || 'text'));
  const found = named ?? (field === '' && texts.length === 1 ? texts[0] : undefined);
  if (found && isText(found)) return found;
  const actual = found
    ? `${quoted(found.name)}, which holds ${found.isList ? 'lists' : `values of type ${found.element.type}`}`
    : `columns of texts: ${texts.length === 0 ? 'none' : listed(texts.map(({ name }) => name))}`;
  const expected = field === '' ? 'a column `text`, or only one of texts' : `a column ${quoted(field)} of texts`;
  throw corpusError('corpus/field', file, expected, actual, 'Name a column that holds texts: `field`.');
}

function isText({ element, isList }: Leaf): boolean {
  return element.type === 'BYTE_ARRAY' && !isList && !NO_TEXTS.includes(element.converted_type ?? '');
}

/** Bytes that mean something else. */
const NO_TEXTS: readonly string[] = ['DECIMAL', 'BSON', 'INTERVAL'];

function leavesOf(root: SchemaTree): readonly Leaf[] {
  const leaves: Leaf[] = [];
  const visit = ({ children, element, path }: SchemaTree, definitionLevel: number, isList: boolean): void => {
    const level =
      definitionLevel + Number(element.repetition_type === 'OPTIONAL' || element.repetition_type === 'REPEATED');
    const list = isList || element.repetition_type === 'REPEATED';
    if (children.length === 0)
      leaves.push({ index: leaves.length, name: path.join('.'), definitionLevel: level, element, isList: list });
    for (const child of children) visit(child, level, list);
  };
  for (const child of root.children) visit(child, 0, false);
  return leaves;
}
