import type { ErrorData } from '../../base/errors.ts';
import { otherPerplexities } from '../../experiment/otherPerplexities.ts';
import { publishedBeside } from '../../language/check/publishedBeside.ts';
import { warningsOf } from '../../experiment/resultWarnings.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import type { PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import type { SourceDiagnostic } from './diagnostics.ts';

/** One evaluation as `--json` prints it. Sparsity is spelled (`50%`, `2:4`), and null for the dense model. */
export function evaluationJson(result: EvaluationResult): string {
  const { metric, expression, sparsity, ...rest } = result;
  const { provenance, perplexity } = result;
  const warnings = warningsOf(result);
  const { protocol, deviations = [] } = provenance;
  const others = otherPerplexities(result, perplexity);
  const published = publishedBeside(result);
  return JSON.stringify({
    metric,
    expression,
    sparsity: sparsity === undefined ? null : printSparsity(sparsity),
    ...rest,
    // Each is an object of its own.
    tasks: undefined,
    ...(protocol !== undefined && { protocol, deviations }),
    ...(others && { wordPerplexity: others.word, bytePerplexity: others.byte }),
    ...(published && { published }),
    ...(warnings.length > 0 && { warnings }),
  });
}

/** A failure as `--json` prints it; where one evaluation of several failed, with which. */
export function errorJson(
  error: ErrorData & { readonly diagnostics?: readonly SourceDiagnostic[] },
  evaluation?: PlannedEvaluation,
): string {
  const which = evaluation && { metric: evaluation.metric, sparsity: printSparsity(evaluation.sparsity) };
  return JSON.stringify({ ...which, error });
}
