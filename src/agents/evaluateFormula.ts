import { dirname } from 'node:path';
import * as z from 'zod';
import { EspalierError } from '../base/errors.ts';
import { hubNameOf } from '../experiment/hubName.ts';
import type { EvaluationPlan } from '../experiment/planSchema.ts';
import { parseSparsity, printSparsity } from '../experiment/sparsity.ts';
import type { Sparsity } from '../experiment/sparsitySchema.ts';
import { isReallyInside } from '../files/inside.ts';
import { compile, parseExpression } from '../language/check/compile.ts';
import { plansFor } from '../language/plan/plan.ts';
import { printInfix, printPrefix } from '../metric/print.ts';
import { withPaths } from '../runs/portablePaths.ts';
import type { AgentContext } from './agentTool.ts';
import { agentTool } from './agentTool.ts';
import { formulaSchema } from './checkFormula.ts';
import { fileSchema, withoutErrors } from './readExperiments.ts';
import { taskMeans } from './taskMeans.ts';
import { outside, readPruneFile } from './workspaceFile.ts';

/** What a formula is called while it is evaluated; a file that has the name is left alone. */
const NAME = '__asked';
const MOST_SPARSITIES = 8;

export const evaluateFormula = agentTool({
  name: 'evaluate_formula',
  title: 'Evaluate a formula',
  description:
    'Prunes the model of a .prune file with a formula and measures the perplexity beside the dense one, on the texts and by the settings of that file. Takes seconds to hours of this machine; nothing is kept.',
  access: 'evaluate',
  input: z.strictObject({
    file: fileSchema,
    formula: formulaSchema,
    sparsity: z
      .string()
      .max(100)
      .optional()
      .describe('Share of the weights that goes, or N:M: 50%, 2:4, or several as 50%,2:4; as the file says by default'),
  }),
  asks: ({ file, formula, sparsity }) =>
    `evaluate ${formula}${sparsity === undefined ? '' : ` at ${sparsity}`} on the model and texts of ${file}`,
  answer: async ({ file, formula, sparsity }, context) => {
    const plans = await formulaPlans(
      { file, formula, at: sparsity === undefined ? undefined : sparsities(sparsity) },
      context.root,
    );
    for (const plan of plans) await requireReadable(plan, context);
    const results = [];
    for (const plan of plans) results.push(...(await context.evaluate!(plan, context)));
    return {
      formula: printInfix(parseExpression(formula)),
      evaluations: results.map((result) => ({
        sparsity: result.sparsity ? printSparsity(result.sparsity) : null,
        ...(result.perplexity !== undefined && { perplexity: result.perplexity, dense: result.densePerplexity }),
        ...taskMeans(result),
        ...{ removed: result.actualSparsity, seconds: result.seconds, fingerprint: result.fingerprint },
      })),
    };
  },
});

interface AskedFormula {
  readonly file: string;
  readonly formula: string;
  readonly at: readonly Sparsity[] | undefined;
}

/**
 * The plans of a formula in a file's place: evaluated as a metric of that file would be that no experiment lists.
 *
 * @throws EspalierError `agents/outside`, `metric/syntax`, `language/errors`, `settings/invalid`
 */
export async function formulaPlans(
  { file, formula, at }: AskedFormula,
  root: string,
): Promise<readonly EvaluationPlan[]> {
  const { path, text } = await readPruneFile(root, file);
  const expression = parseExpression(formula);
  const own = withoutErrors(file, compile(text));
  const document = withoutErrors(file, compile(`${text}\nmetric ${NAME} = ${printPrefix(expression)}\n`, own));
  const plans = plansFor(document, NAME, { folder: dirname(path), ...(at && { overlay: { settings: {}, at } }) });
  return plans.map((plan) => ({
    ...plan,
    evaluations: plan.evaluations.map((evaluation) => ({ ...evaluation, metric: printInfix(expression) })),
  }));
}

/** @throws EspalierError `agents/input` */
function sparsities(text: string): readonly Sparsity[] {
  const parts = text.split(',').slice(0, MOST_SPARSITIES + 1);
  return parts.map((part) => {
    const sparsity = parts.length <= MOST_SPARSITIES ? parseSparsity(part) : undefined;
    if (sparsity) return sparsity;
    throw new EspalierError({
      code: 'agents/input',
      operation: 'reading what evaluate_formula is called with',
      expected: `at most ${MOST_SPARSITIES} sparsities such as 50% or 2:4`,
      actual: text.slice(0, 60),
      remedy: 'Call it again with these.',
    });
  });
}

/** What a file of the workspace names may lie elsewhere where a person has said so. @throws EspalierError `agents/outside` */
async function requireReadable(plan: EvaluationPlan, { root, folders }: AgentContext): Promise<void> {
  if (!folders) return;
  const files: string[] = [];
  withPaths(plan, (file) => {
    files.push(file);
    return file;
  });
  for (const file of files) {
    if (hubNameOf(file)) continue;
    const within = await Promise.all([root, ...folders].map((folder) => isReallyInside(folder, file)));
    if (!within.includes(true))
      throw outside(file, 'a model or text inside the workspace folder, or in one that was named');
  }
}
