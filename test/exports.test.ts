import path from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { nodesOf, parseSource, sourceFiles } from './support/sources.ts';

const PRODUCT = ['src', 'webview-ui', 'tools'];
/** Called by VS Code. */
const CALLED_FROM_OUTSIDE = ['src/extension/main.ts activate', 'src/extension/main.ts deactivate'];

interface Source {
  readonly file: string;
  readonly exports: readonly string[];
  /** `file name` of each import; `file *` of one that takes all of a file. */
  readonly imports: readonly string[];
  /** Name → how often it stands in the file. */
  readonly names: ReadonlyMap<string, number>;
}

const sources = sourceFiles(...PRODUCT, 'bench', 'scripts').map(readSource);

it('no code is there for tests alone: each export is used by something else, or by its own file', () => {
  const imported = new Set(sources.flatMap(({ imports }) => imports));
  const unused = sources
    .filter(({ file }) => PRODUCT.some((folder) => file.startsWith(`${folder}/`)) && !imported.has(`${file} *`))
    .flatMap(({ file, exports, names }) =>
      exports
        .filter((name) => names.get(name)! < 2 && !imported.has(`${file} ${name}`))
        .map((name) => `${file} ${name}`),
    );
  expect(unused.filter((each) => !CALLED_FROM_OUTSIDE.includes(each))).toEqual([]);
  expect(CALLED_FROM_OUTSIDE.filter((each) => !unused.includes(each))).toEqual([]);
});

function readSource(file: string): Source {
  const tree = parseSource(file);
  const imports: string[] = [];
  const names = new Map<string, number>();
  const target = (specifier: ts.Node): string =>
    path.posix.join(path.posix.dirname(file), ts.isStringLiteral(specifier) ? specifier.text : '');
  for (const node of nodesOf(tree)) {
    if (ts.isIdentifier(node)) names.set(node.text, (names.get(node.text) ?? 0) + 1);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      imports.push(`${target(node.arguments[0]!)} *`);
    }
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      imports.push(`${target(node.argument.literal)} *`);
    }
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      const bindings = ts.isImportDeclaration(node) ? node.importClause?.namedBindings : node.exportClause;
      const isList = bindings && (ts.isNamedImports(bindings) || ts.isNamedExports(bindings));
      const taken = isList ? bindings.elements.map(({ propertyName, name }) => (propertyName ?? name).text) : ['*'];
      for (const name of taken) imports.push(`${target(node.moduleSpecifier)} ${name}`);
    }
  }
  return { file, exports: tree.statements.flatMap(exportsOf), imports, names };
}

function exportsOf(statement: ts.Statement): string[] {
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  if (!modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
  const declared = ts.isVariableStatement(statement) ? statement.declarationList.declarations : [statement];
  return declared.flatMap((declaration) => {
    const name = ts.getNameOfDeclaration(declaration as ts.Declaration);
    return name && ts.isIdentifier(name) ? [name.text] : [];
  });
}
