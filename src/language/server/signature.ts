import type { ParameterInformation, SignatureHelp } from 'vscode-languageserver';
import { markdownLines } from '../../base/markdown.ts';
import { OWL_SETTING_NAMES, OWL_SETTINGS } from '../../experiment/owlSettings.ts';
import { writtenDefault } from '../../experiment/settingRow.ts';
import { SETTINGS } from '../../experiment/settings.ts';
import { KNOWN_TASK_NAMES } from '../../experiment/taskNames.ts';
import { isOperationName, OPERATIONS } from '../../metric/operations.ts';
import { docComment } from '../syntax/docComment.ts';
import type { CompiledDocument } from '../check/document.ts';
import type { ParsedDeclaration } from '../syntax/pieces.ts';
import { blockKindOf, propertyOf } from '../check/properties.ts';
import type { Property } from '../check/property.ts';
import { CORPUS_SETTINGS, OWN_TASK_ARGUMENTS } from '../check/settingProperties.ts';
import { ALLOCATION_WORDS, CLAUSES, isClauseName } from '../check/structureWords.ts';
import { tokensToCursor } from '../syntax/tokens.ts';
import type { Token } from '../syntax/tokens.ts';
import type { DeclarationKeyword } from '../syntax/words.ts';

/** The operation or metric, or the text with settings, in whose parentheses the cursor stands, and which argument it is at. */
export function signatureHelp(document: CompiledDocument, offset: number): SignatureHelp | undefined {
  const piece = document.parsed.declarations.findLast(({ start }) => start < offset);
  if (piece === undefined) return undefined;
  const tokens = tokensToCursor(document.text.slice(piece.start, offset));
  const call = tokens && openCall(tokens);
  const signature = call && signatureOf(document, piece, call, tokens);
  if (call === undefined || signature === undefined) return undefined;
  const { label, parameters, documentation } = signature;
  const named = parameters.findIndex(({ name }) => name === call.argumentName);
  const active = named >= 0 ? named : call.argument;
  return {
    signatures: [
      {
        label,
        parameters: parameters.map((parameter) => ({ label: parameter.span, documentation: parameter.documentation })),
        ...(documentation !== '' && { documentation: { kind: 'markdown', value: documentation } }),
      },
    ],
    activeSignature: 0,
    // Beyond the last one nothing is to be marked; a named argument whose name is yet to come could be any.
    activeParameter: Math.min(active, parameters.length),
  };
}

/** Stands for whatever is in front of `(group: …)`. */
const METRIC = 'metric';

interface OpenCall {
  readonly callee: string;
  /** Commas between the parenthesis and the cursor. */
  readonly argument: number;
  /** Where the argument begins with `NAME:`. */
  readonly argumentName: string | undefined;
}

/** The innermost parenthesis behind a name that is open at the end; those that only group are looked through. */
function openCall(tokens: readonly Token[]): OpenCall | undefined {
  interface Open {
    readonly callee: string | undefined;
    argument: number;
    first: number;
  }
  const open: Open[] = [];
  tokens.forEach(({ kind, text }, i) => {
    if (kind !== 'sign') return;
    const before = tokens[i - 1];
    if (text === '(') {
      const isCall = before?.kind === 'string' || (before?.kind === 'name' && !isHead(tokens, i - 1));
      const isGroup = tokens[i + 1]?.text === 'group' && tokens[i + 2]?.text === ':';
      const callee = isGroup ? METRIC : isCall ? before.text : undefined;
      open.push({ callee, argument: 0, first: i + 1 });
    }
    if (text === ')') open.pop();
    const inner = open.at(-1);
    if (text === ',' && inner) {
      inner.argument++;
      inner.first = i + 1;
    }
  });
  const call = open.findLast(({ callee }) => callee !== undefined);
  if (call?.callee === undefined) return undefined;
  const { callee, argument, first } = call;
  return { callee, argument, argumentName: tokens[first + 1]?.text === ':' ? tokens[first]!.text : undefined };
}

/** Whether a name is the one that a declaration gives: what stands in parentheses behind it are its parameters. */
function isHead(tokens: readonly Token[], i: number): boolean {
  return i === 1 && tokens[0]!.text === 'metric';
}

interface Signature {
  readonly label: string;
  readonly parameters: readonly (Pick<ParameterInformation, 'documentation'> & {
    readonly name: string;
    /** Where it stands in the label. */
    readonly span: [number, number];
    readonly documentation: string;
  })[];
  readonly documentation: string;
}

function signatureOf(
  document: CompiledDocument,
  piece: ParsedDeclaration,
  { callee }: OpenCall,
  tokens: readonly Token[],
): Signature | undefined {
  if (callee === METRIC) {
    const { documentation } = SETTINGS.group;
    const parameters = [{ name: 'group', text: `group: ${SETTINGS.group.default}`, documentation }];
    return write(
      `${METRIC} (`,
      parameters,
      'What the weights of this metric are compared over, whatever `group` says.',
    );
  }
  if (isOperationName(callee)) {
    const { arity, formula, documentation } = OPERATIONS[callee];
    const names = arity === 1 ? ['x'] : ['x', 'y'];
    const parameters = names.map((name) => ({ name, text: name, documentation: '' }));
    return write(`${callee}(`, parameters, `\`${formula}\`\n\n${documentation}`);
  }
  const declared = document.declarations.find(({ name }) => name === callee);
  if (declared?.kind === 'metric') {
    const parameters = declared.parameters.map(({ name, value }) => ({
      name,
      text: `${name} = ${value ?? '?'}`,
      documentation: '',
    }));
    return write(`${callee}(`, parameters, markdownLines(docComment(document.text, declared.start)));
  }
  const property = blockProperty(piece, tokens);
  if (isClauseName(callee) && property !== undefined && CLAUSED.has(property.value)) {
    return write(`${callee}(`, CLAUSES[callee].parameters, CLAUSES[callee].documentation);
  }
  if (callee === 'owl' && property !== undefined && WITH_RATES.has(property.value)) {
    const parameters = OWL_SETTING_NAMES.map((name) => {
      const { default: value, documentation } = OWL_SETTINGS[name];
      return { name, text: `${name} = ${value}`, documentation };
    });
    return write('owl(', parameters, ALLOCATION_WORDS.owl.documentation);
  }
  const settings = OF_BINDINGS[piece.keyword ?? 'model'] ?? property?.arguments;
  const isBinding = piece.keyword === 'corpus' || piece.keyword === 'task';
  const isPath = callee.startsWith('"') && (isBinding || property?.value === 'corpus');
  const isTask = property?.value === 'tasks' && (declared?.kind === 'task' || KNOWN_TASK_NAMES.includes(callee));
  if ((declared?.kind !== 'corpus' && !isPath && !isTask) || !settings) return undefined;
  const parameters = settings.map(({ name, documentation, example, setting }) => ({
    name,
    text: setting!.of === 'task' && setting!.row.kind === 'text' ? example : `${name}: ${writtenDefault(setting!.row)}`,
    documentation,
  }));
  return write(`${callee} (`, parameters, declared ? markdownLines(docComment(document.text, declared.start)) : '');
}

/** What can stand behind the path of a declaration. */
const OF_BINDINGS: Readonly<Partial<Record<DeclarationKeyword, readonly Property[]>>> = {
  corpus: CORPUS_SETTINGS,
  task: OWN_TASK_ARGUMENTS,
};

/** Where `structure(…)` and `weights(…)` can stand. */
const CLAUSED: ReadonlySet<Property['value']> = new Set<Property['value']>(['prunings', 'target', 'structures']);
/** Where `owl(…)` can. */
const WITH_RATES: ReadonlySet<Property['value']> = new Set<Property['value']>(['prunings', 'structures', 'rates']);

function write(
  head: string,
  parameters: readonly { readonly name: string; readonly text: string; readonly documentation: string }[],
  documentation: string,
): Signature {
  let label = head;
  const placed = parameters.map(({ name, text, documentation: about }, i) => {
    if (i > 0) label += ', ';
    const start = label.length;
    label += text;
    const span: [number, number] = [start, label.length];
    return { name, span, documentation: about };
  });
  return { label: `${label})`, parameters: placed, documentation };
}

/** The property that the end of the tokens belongs to. */
function blockProperty(piece: ParsedDeclaration, tokens: readonly Token[]): Property | undefined {
  const { keyword } = piece;
  if (keyword !== 'experiment' && keyword !== 'search' && keyword !== 'defaults') return undefined;
  let depth = 0;
  let name: string | undefined;
  tokens.forEach(({ text }, i) => {
    if (text === '(') depth++;
    if (text === ')') depth--;
    if (text === ':' && depth === 0) name = tokens[i - 1]?.text;
  });
  return name === undefined ? undefined : propertyOf(blockKindOf(piece), name);
}
