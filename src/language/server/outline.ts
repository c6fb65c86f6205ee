import { DEFAULT_SEARCH_METHOD } from '../../search/methods.ts';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { CompiledDocument, SearchDeclaration } from '../check/document.ts';
import type { OutlineDeclaration, OutlineParams } from './messages.ts';
import { Planner } from '../plan/plan.ts';
import { mayAskLlm } from '../plan/plannedLlm.ts';
import { isRunnable, searchPlanKey } from '../plan/searchPlan.ts';
import { rangeOf } from './positions.ts';

/** What the editor shows beside the text: what is declared, what of it can be evaluated or run, and when a result is stale. */
export function outline(document: CompiledDocument, source: TextDocument): OutlineParams {
  const planner = new Planner(document);
  const declarations = document.declarations
    .filter(({ name }) => name !== '')
    .map((declaration) => {
      const evaluable = planner.isEvaluable(declaration);
      return {
        kind: declaration.kind,
        name: declaration.name,
        range: rangeOf(source, declaration),
        nameRange: rangeOf(source, declaration.nameSpan),
        evaluable,
        ...(evaluable && { planKey: planner.planKey(declaration) }),
        ...(declaration.kind === 'search' && runnability(document, declaration)),
      };
    });
  return { uri: source.uri, version: source.version, declarations };
}

function runnability(
  document: CompiledDocument,
  search: SearchDeclaration,
): Pick<OutlineDeclaration, 'runnable' | 'method' | 'asksLlm' | 'planKey'> {
  const runnable = isRunnable(document, search);
  const { method = DEFAULT_SEARCH_METHOD } = search.content;
  const asks = mayAskLlm(search.content) && ({ asksLlm: true } as const);
  return { runnable, method, ...asks, ...(runnable && { planKey: searchPlanKey(document, search) }) };
}
