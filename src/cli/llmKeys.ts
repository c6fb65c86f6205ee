import { isOpenAiEndpoint, KEY_VARIABLES } from '../experiment/llmEndpoint.ts';

/** Keys of language models that the environment has: kept in memory, and nowhere else. */
export interface LlmKeys {
  /** ESPALIER_LLM_KEY: for whatever endpoint a search names. */
  readonly own?: string;
  /** OPENAI_API_KEY: for OpenAI's own endpoint, and sent nowhere else. */
  readonly openAi?: string;
}

/** Takes the keys out of an environment, so that no process that is started later inherits them. */
export function takeKeys(env: NodeJS.ProcessEnv): LlmKeys {
  const { ESPALIER_LLM_KEY: own, OPENAI_API_KEY: openAi } = env;
  for (const name of KEY_VARIABLES) Reflect.deleteProperty(env, name);
  return { ...(own && { own }), ...(openAi && { openAi }) };
}

/** The key for an endpoint, where there is one: servers of one's own often need none. */
export function keyFor(endpoint: string, { own, openAi }: LlmKeys): string | undefined {
  return own ?? (isOpenAiEndpoint(endpoint) ? openAi : undefined);
}
