import * as z from 'zod';
import { compile } from '../language/check/compile.ts';
import { agentTool } from './agentTool.ts';
import { formulaSchema } from './checkFormula.ts';
import { metricInsertion } from './metricInsertion.ts';
import { fileSchema } from './readExperiments.ts';
import { readPruneFile } from './workspaceFile.ts';

export const proposeMetric = agentTool({
  name: 'propose_metric',
  title: 'Propose a metric',
  description: 'Writes a metric into a .prune file, below those that it has. Nothing that stands there is changed.',
  access: 'write',
  input: z.strictObject({
    file: fileSchema,
    name: z
      .string()
      .max(60)
      .regex(/^[A-Za-z_]\w*$/, 'expected letters, digits and underscores')
      .describe('What the metric is called: letters, digits, underscores'),
    formula: formulaSchema,
    comment: z.string().max(300).optional().describe('Why, in one line'),
  }),
  asks: ({ file, name, formula }) => `write metric ${name} = ${formula} into ${file}`,
  answer: async ({ file, ...proposed }, { root, write }) => {
    const { path, text } = await readPruneFile(root, file);
    const insertion = metricInsertion(compile(text), proposed);
    await write!(path, insertion);
    return { file, inserted: insertion.text.trim() };
  },
});
