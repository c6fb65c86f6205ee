import type { AgentTool } from './agentTool.ts';
import { checkFormula } from './checkFormula.ts';
import { evaluateFormula } from './evaluateFormula.ts';
import { listEvaluations } from './listEvaluations.ts';
import { listFiles } from './listFiles.ts';
import { listRuns } from './listRuns.ts';
import { proposeMetric } from './proposeMetric.ts';
import { readExperiments } from './readExperiments.ts';
import { readRun } from './readRun.ts';

/** All tools, those that only read first. */
export const TOOLS: readonly AgentTool[] = [
  listFiles,
  readExperiments,
  checkFormula,
  listEvaluations,
  listRuns,
  readRun,
  evaluateFormula,
  proposeMetric,
];
