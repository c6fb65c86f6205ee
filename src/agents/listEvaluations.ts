import * as z from 'zod';
import { printSparsity } from '../experiment/sparsity.ts';
import { EvaluationStore } from '../runs/evaluationStore.ts';
import { agentTool } from './agentTool.ts';
import { taskMeans } from './taskMeans.ts';

const MOST = 200;

export const listEvaluations = agentTool({
  name: 'list_evaluations',
  title: 'List kept evaluations',
  description:
    'What was evaluated in this workspace and kept, the newest first: metric, formula, sparsity, perplexity beside the dense one, model, text, tasks, fingerprint.',
  access: 'read',
  input: z.strictObject({
    metric: z.string().max(200).optional().describe('Only of this metric'),
    limit: z.int().min(1).max(MOST).default(50),
  }),
  asks: () => 'read the kept evaluations of the workspace',
  answer: async ({ metric, limit }, { root }) => {
    const records = await new EvaluationStore(root, () => undefined).load();
    const meant = records.filter(({ result }) => metric === undefined || result.metric === metric).reverse();
    return {
      evaluations: meant.slice(0, limit).map(({ savedAt, document, model, text, result }) => ({
        metric: result.metric,
        formula: result.expression,
        sparsity: result.sparsity ? printSparsity(result.sparsity) : null,
        ...(result.perplexity !== undefined && { perplexity: result.perplexity, dense: result.densePerplexity }),
        ...taskMeans(result),
        ...{ file: document, model, ...(text !== undefined && { text }), savedAt, fingerprint: result.fingerprint },
      })),
      of: meant.length,
    };
  },
});
