import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { CompiledDocument } from '../check/document.ts';
import type { MetricTree } from './messages.ts';
import { traceMetric } from '../check/trace.ts';
import { rangeOf } from './positions.ts';

/** A metric's syntax tree with the range of each node; null where there is no such metric, or it is broken. */
export function metricTree(document: CompiledDocument, source: TextDocument, name: string): MetricTree | null {
  const traced = traceMetric(document, name);
  if (traced === undefined) return null;
  const { expression, origins } = traced;
  const places = origins.map(({ span, reference }) => ({
    range: rangeOf(source, span),
    ...(reference !== undefined && { reference }),
  }));
  return { version: source.version, expression, places };
}
