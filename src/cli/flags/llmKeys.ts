import { EspalierError } from '../../base/errors.ts';
import { plainLine } from '../../base/plainText.ts';
import { KEY_VARIABLES } from '../../base/secretVariables.ts';
import { endpointName, isOpenAiEndpoint, originOf } from '../../search/llm/endpoint.ts';
import type { LlmGrant } from '../../search/llm/endpoint.ts';
import type { AskingPlan } from '../../search/asking.ts';

/** Keys of language models that the environment has: kept in memory, and nowhere else. */
export interface LlmKeys {
  /** ESPALIER_LLM_KEY. */
  readonly own?: string;
  /** ESPALIER_LLM_ENDPOINT: where that key may go, and nowhere else. Where it is not set, see {@link grantFor}. */
  readonly ownEndpoint?: string;
  /** OPENAI_API_KEY: for OpenAI's own endpoint, and sent nowhere else. */
  readonly openAi?: string;
}

/** Takes the keys out of an environment, so that no process that is started later inherits them. */
export function takeKeys(env: NodeJS.ProcessEnv): LlmKeys {
  const { ESPALIER_LLM_KEY: own, ESPALIER_LLM_ENDPOINT: ownEndpoint, OPENAI_API_KEY: openAi } = env;
  for (const name of KEY_VARIABLES) Reflect.deleteProperty(env, name);
  return { ...(own && { own }), ...(ownEndpoint && { ownEndpoint }), ...(openAi && { openAi }) };
}

export interface GrantOptions {
  readonly keys: LlmKeys;
  /** Whether the person has written the endpoint, or that there is none but OpenAI's, on this very command line. */
  readonly isTyped: boolean;
  /** Asks a question that is answered with yes or no; undefined where nobody is there to answer. */
  readonly ask?: ((question: string) => Promise<boolean>) | undefined;
}

/**
 * Which endpoint a search may ask, and with what key. A key goes to whom it was meant for: to the endpoint of ESPALIER_LLM_ENDPOINT, or,
 * where that is not set, to OpenAI and to an endpoint that is typed with it. A file or a run that names another one is asked about.
 *
 * @throws EspalierError `llm/not-agreed` where nobody says that the key is meant for the endpoint of a file or run, `settings/invalid`
 */
export async function grantFor(plan: AskingPlan, { keys, isTyped, ask }: GrantOptions): Promise<LlmGrant> {
  const endpoint = endpointName(plan.llm.endpoint);
  const { own, ownEndpoint, openAi } = keys;
  const home = homeOf(ownEndpoint);
  if (own !== undefined && (home === undefined ? isTyped || isOpenAiEndpoint(endpoint) : home === originOf(endpoint)))
    return { endpoint, key: own };
  if (openAi !== undefined && isOpenAiEndpoint(endpoint)) return { endpoint, key: openAi };
  if (own === undefined || home !== undefined) return { endpoint };
  const who = `${plainLine(plan.name)} asks ${plainLine(plan.llm.llm)} at ${endpoint}`;
  if ((await ask?.(`${who}. Send ESPALIER_LLM_KEY there?`)) === true) return { endpoint, key: own };
  throw new EspalierError({
    code: 'llm/not-agreed',
    operation: 'setting up the language model',
    expected: `a word from you that ESPALIER_LLM_KEY is meant for ${endpoint}, which a file or run names`,
    actual: ask ? 'no' : 'no terminal to ask you on',
    remedy: `Nothing was sent. If it is, set ESPALIER_LLM_ENDPOINT=${endpoint} beside the key; if not, unset ESPALIER_LLM_KEY or name another endpoint.`,
  });
}

/** Origin of the endpoint that a key is for. */
function homeOf(ownEndpoint: string | undefined): string | undefined {
  if (ownEndpoint === undefined) return undefined;
  try {
    return originOf(ownEndpoint);
  } catch (thrown) {
    if (!(thrown instanceof EspalierError)) throw thrown;
    throw new EspalierError({ ...thrown.data, operation: 'reading ESPALIER_LLM_ENDPOINT' }, { cause: thrown });
  }
}
