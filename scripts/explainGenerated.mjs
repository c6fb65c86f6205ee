#!/usr/bin/env node
// Generators switch the linter off in what they write and do not say why: says it beside each.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FILES = ['src/engine/graph/onnx/onnx_pb.d.ts', 'src/engine/graph/onnx/onnx_pb.js'];

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
for (const file of FILES) {
  const text = readFileSync(file, 'utf8');
  const explained = text.replace(
    /\/\* eslint-disable \*\//,
    '/* eslint-disable -- generated (npm run generate): its style is the generator’s, its currency is checked by npm run check */',
  );
  if (explained !== text) writeFileSync(file, explained);
}
