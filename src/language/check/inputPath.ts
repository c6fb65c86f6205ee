import { isHubReference, MODEL_FORM, parseHubModel, parseHubText, TEXT_FORM } from '../../experiment/hubReference.ts';
import { didYouMean } from './diagnostics.ts';
import type { Fix } from './diagnostics.ts';
import { withArticle } from './expressions.ts';
import type { TextInput } from './document.ts';
import type { NameTable } from './names.ts';
import type { PropertyReader } from './propertyReader.ts';
import type { ExpressionSyntax, Identifier } from '../syntax/syntax.ts';

/** The path that a model or corpus stands for, with what its declaration says of it; settings in parentheses behind it are not looked at. */
export function readPath(
  reader: PropertyReader,
  kind: 'model' | 'corpus',
  syntax: ExpressionSyntax,
): TextInput | undefined {
  if (syntax.kind === 'text') {
    const problem = pathProblem(syntax.text, kind);
    if (problem === undefined) return { path: syntax.text };
    reader.report('property/type', syntax.span, problem);
    return undefined;
  }
  if (syntax.kind === 'name') return namedPath(reader, kind, { text: syntax.name, span: syntax.span });
  if (syntax.kind === 'call') return namedPath(reader, kind, syntax.callee);
  reader.report('property/type', syntax.span, `this has to be the name of a ${kind}, or a path in quotes`);
  return undefined;
}

/** What is wrong with a path, or a name on the hub, by itself. */
export function pathProblem(text: string, kind: 'model' | 'corpus'): string | undefined {
  if (text.trim() === '') return 'this path is empty';
  if (!isHubReference(text)) return undefined;
  const parsed = kind === 'model' ? parseHubModel(text) : parseHubText(text);
  if ('reference' in parsed) return undefined;
  return `${parsed.problem}: this has to be ${kind === 'model' ? MODEL_FORM : TEXT_FORM}`;
}

function namedPath(
  reader: PropertyReader,
  kind: 'model' | 'corpus',
  { text, span }: Identifier,
): TextInput | undefined {
  const { names, paths } = reader.context;
  const symbol = names.get(text)?.symbol;
  if (symbol === undefined) {
    const { suffix, fixes = [] } = didYouMean(reader.at(span), names.suggest(text, kind));
    const declare = declareFix(kind, text, names);
    reader.report('name/unknown', span, `unknown ${kind} \`${text}\`${suffix}`, { fixes: [...fixes, declare] });
    return undefined;
  }
  reader.site(span, symbol);
  if (symbol.kind !== kind) {
    reader.report('name/wrong-kind', span, `\`${text}\` is ${withArticle(symbol.kind)}, not a ${kind}`);
    return undefined;
  }
  const path = paths.get(text);
  // Without a path it has an error of its own.
  if (path === undefined) reader.broken = true;
  return path;
}

/** Declares a model or corpus below the last of its kind, or at the beginning of the file. */
function declareFix(kind: 'model' | 'corpus', name: string, names: NameTable): Fix {
  let end = 0;
  for (const { symbol, parsed } of names.all()) {
    if (symbol.kind === kind && parsed.tree?.syntax) end = parsed.base + parsed.tree.syntax.span.end;
  }
  const declaration = `${kind} ${name} = "path"`;
  const text = end === 0 ? `${declaration}\n\n` : `\n${declaration}`;
  return { title: `Declare \`${declaration}\``, edits: [{ start: end, end, text }] };
}
