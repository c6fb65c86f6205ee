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

/** A column, whatever it holds. */
export interface Leaf extends TextColumn {
  readonly element: SchemaElement;
  /** Lists inside each other on the way to it. */
  readonly repetitionLevel: number;
  /** Definition level from which on the innermost of them has an item; 0 without lists. */
  readonly listLevel: number;
  /** The way to it by what a person calls it: without the groups that lists are made of. */
  readonly names: readonly string[];
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
    ? `${quoted(found.name)}, which holds ${found.repetitionLevel > 0 ? 'lists' : `values of type ${found.element.type}`}`
    : `columns of texts: ${texts.length === 0 ? 'none' : listed(texts.map(({ name }) => name))}`;
  const expected = field === '' ? 'a column `text`, or only one of texts' : `a column ${quoted(field)} of texts`;
  throw corpusError('corpus/field', file, expected, actual, 'Name a column that holds texts: `field`.');
}

/** Whether a column without lists holds texts. */
function isText(leaf: Leaf): boolean {
  return leaf.repetitionLevel === 0 && holdsTexts(leaf);
}

export function holdsTexts({ element }: Leaf): boolean {
  return element.type === 'BYTE_ARRAY' && !NO_TEXTS.includes(element.converted_type ?? '');
}

/** Bytes that mean something else. */
const NO_TEXTS: readonly string[] = ['DECIMAL', 'BSON', 'INTERVAL'];

/** What of the levels, and of the names, is known above a node. */
type Above = Pick<Leaf, 'definitionLevel' | 'repetitionLevel' | 'listLevel' | 'names'>;

/** The columns of a table, in the order in which row groups have them. */
export function leavesOf(root: SchemaTree): readonly Leaf[] {
  const leaves: Leaf[] = [];
  const visit = ({ children, element, path }: SchemaTree, above: Above, wrapped: 'list' | 'item' | undefined): void => {
    const isRepeated = element.repetition_type === 'REPEATED';
    const definitionLevel = above.definitionLevel + Number(isRepeated || element.repetition_type === 'OPTIONAL');
    const here: Above = {
      definitionLevel,
      repetitionLevel: above.repetitionLevel + Number(isRepeated),
      listLevel: isRepeated ? definitionLevel : above.listLevel,
      names: wrapped === undefined ? [...above.names, element.name] : above.names,
    };
    if (children.length === 0) leaves.push({ ...here, index: leaves.length, name: path.join('.'), element });
    const isList = element.converted_type === 'LIST' || element.logical_type?.type === 'LIST';
    const inside = isList ? 'list' : wrapped === 'list' && children.length === 1 ? 'item' : undefined;
    for (const child of children) visit(child, here, inside);
  };
  const none: Above = { definitionLevel: 0, repetitionLevel: 0, listLevel: 0, names: [] };
  for (const child of root.children) visit(child, none, undefined);
  return leaves;
}
