import type { ErrorData } from '../../base/errors.ts';
import type { EvaluationPlan, PlannedEvaluation } from '../../experiment/planSchema.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { warningsOf } from '../../experiment/resultWarnings.ts';
import type { TaskDocument } from '../../experiment/taskSchema.ts';
import { evaluationTable, provenanceLines } from './evaluationTable.ts';
import type { EvaluationTable } from './evaluationTable.ts';
import { printFailure } from './failure.ts';
import { errorJson, evaluationJson } from './jsonLines.ts';
import { documentJson, taskJson } from './taskJson.ts';
import { taskLines } from './taskTable.ts';
import type { Terminal } from '../terminal.ts';

/** Takes the evaluations of one plan after another as they end. */
export interface EvaluationReport {
  begin(plan: EvaluationPlan): void;
  /** @param documents of each of its tasks, where they are told one by one */
  result(result: EvaluationResult, documents?: readonly (readonly TaskDocument[])[]): void;
  failure(evaluation: PlannedEvaluation, error: ErrorData): void;
  end(): void;
}

export function jsonReport(terminal: Terminal): EvaluationReport {
  return {
    begin: () => undefined,
    result: (result, documents = []) => {
      result.tasks?.forEach((task, i) => {
        for (const document of documents[i] ?? []) terminal.print(documentJson(result, document));
        terminal.print(taskJson(result, task));
      });
      terminal.print(evaluationJson(result));
    },
    failure: (evaluation, error) => {
      terminal.print(errorJson(error, evaluation));
    },
    end: () => undefined,
  };
}

/** An aligned table a plan, and under it where its numbers come from. */
export function humanReport(terminal: Terminal): EvaluationReport {
  let table: EvaluationTable | undefined;
  let plans = 0;
  let rows = 0;
  let results: EvaluationResult[] = [];
  const row = (line: string) => {
    if (rows++ === 0 && table !== undefined) {
      if (plans > 1) terminal.print('');
      terminal.print(terminal.out.bold(table.header));
    }
    terminal.print(line);
  };
  return {
    begin(plan) {
      table = evaluationTable(plan);
      plans++;
      rows = 0;
      results = [];
    },
    result(result) {
      results.push(result);
      row(table!.row(result));
    },
    failure(evaluation, error) {
      row(table!.failedRow(evaluation));
      for (const line of printFailure(error, terminal.err)) terminal.say(line);
    },
    end() {
      const last = results.at(-1);
      if (last === undefined) return;
      terminal.print('');
      for (const line of provenanceLines(results)) terminal.print(terminal.out.dim(line));
      for (const line of taskLines(results)) terminal.print(line);
      for (const warning of new Set(results.flatMap(warningsOf))) terminal.say(`warning: ${warning}`);
    },
  };
}
