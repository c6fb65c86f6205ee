#!/usr/bin/env node
// Draws the folders of the sources and what they import into docs/architecture.md, from the imports that there are. Part of
// `npm run generate`, so `npm run check` fails where the pictures are not current.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const PAGE = 'docs/architecture.md';

/** Picture → the node that a file belongs to; undefined for a file that is not in it. */
const PICTURES = {
  layers: (file) => /^src\/([^/]+)\//.exec(file)?.[1] ?? /^(webview-ui|tools)\//.exec(file)?.[1],
  engine: (file) => /^src\/engine\/([^/]+)\//.exec(file)?.[1],
};

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const imports = ['src', 'webview-ui', 'tools'].flatMap((folder) => sourcesIn(folder)).flatMap(importsOf);
let page = readFileSync(PAGE, 'utf8');
for (const [name, nodeOf] of Object.entries(PICTURES)) page = withPicture(page, name, draw(reduce(edges(nodeOf))));
writeFileSync(PAGE, page);

function sourcesIn(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith('.ts'));
}

/** [importing file, imported file] for each import of ours in a file, of types too. */
function importsOf(file) {
  return ts
    .preProcessFile(readFileSync(file, 'utf8'))
    .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => [file, posix.join(posix.dirname(file), fileName)]);
}

/** Node → the others that it imports. */
function edges(nodeOf) {
  const graph = new Map();
  for (const [from, to] of imports.map((pair) => pair.map(nodeOf))) {
    if (from === undefined || to === undefined) continue;
    if (!graph.has(from)) graph.set(from, new Set());
    if (!graph.has(to)) graph.set(to, new Set());
    if (from !== to) graph.get(from).add(to);
  }
  return graph;
}

/** Without the arrows that a way over other nodes says already. */
function reduce(graph) {
  const reached = (from, seen = new Set()) => {
    for (const to of graph.get(from)) if (!seen.has(to)) reached(to, seen.add(to));
    return seen;
  };
  const turning = [...graph.keys()].filter((from) => reached(from).has(from));
  if (turning.length > 0) throw new Error(`imports go round in a circle: ${turning.join(', ')}`);
  const isIndirect = (from, to) => [...graph.get(from)].some((over) => over !== to && reached(over).has(to));
  return new Map([...graph].map(([from, to]) => [from, [...to].filter((each) => !isIndirect(from, each))]));
}

/** As a flow chart of Mermaid. Ids end in a sign, since some words are Mermaid's own. */
function draw(graph) {
  const names = [...graph.keys()].sort();
  const id = (name) => `${name.replaceAll(/\W/g, '_')}_`;
  return [
    'flowchart TD',
    ...names.map((name) => `  ${id(name)}["${name}"]`),
    ...names
      .filter((name) => graph.get(name).length > 0)
      .map((name) => `  ${id(name)} --> ${graph.get(name).sort().map(id).join(' & ')}`),
  ];
}

function withPicture(text, name, lines) {
  const [begin, end] = [`<!-- picture of ${name}: scripts/layerPictures.mjs -->\n`, '<!-- end -->\n'];
  const [before, rest] = text.split(begin);
  const after = rest?.slice(rest.indexOf(end));
  if (!after?.startsWith(end)) throw new Error(`${PAGE} has no place for the picture of ${name}: ${begin}${end}`);
  return `${before}${begin}\`\`\`mermaid\n${lines.join('\n')}\n\`\`\`\n${after}`;
}
