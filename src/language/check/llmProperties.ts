import { toErrorData } from '../../base/errors.ts';
import { checkEndpoint } from '../../search/llm/endpoint.ts';
import type { Span } from '../syntax/syntax.ts';
import type { SearchContent } from './document.ts';
import type { PropertyName } from './property.ts';
import type { BlockContext } from './propertyReader.ts';

/** Tells what is wrong with the language model that a search names. @returns whether it cannot run */
export function tellWrongLlm(
  content: SearchContent,
  place: (name: PropertyName) => Span,
  { findings: { diagnostics } }: BlockContext,
): boolean {
  const problem = endpointProblem(content);
  if (problem !== undefined) diagnostics.add('property/type', place('endpoint'), problem);
  const { provider, replay = '' } = content.llm;
  const lacksRun = provider === 'replay' && replay.trim() === '';
  if (lacksRun) {
    const message = 'which run? Say it: `replay: "…"`, with the id of a recorded run';
    diagnostics.add('search/missing', place('provider'), message);
  }
  return problem !== undefined || lacksRun;
}

/** What is wrong with the endpoint: no secret may stand in a file. The model may be named by the settings of the editor. */
function endpointProblem({ llm: { endpoint = '' } }: SearchContent): string | undefined {
  try {
    checkEndpoint(endpoint);
    return undefined;
  } catch (thrown) {
    const { expected, actual } = toErrorData(thrown, 'reading an endpoint');
    return `this has to be ${expected}, not ${actual}`;
  }
}
