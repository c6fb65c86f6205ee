/** Environment variable that a queue is named by, with its password: command lines and settings can be read by others. */
export const QUEUE_VARIABLE = 'ESPALIER_QUEUE';
/** The password alone, where the address stands elsewhere. */
export const QUEUE_PASSWORD_VARIABLE = 'ESPALIER_QUEUE_PASSWORD';

/** Environment variables that hold keys of language models, or headers that may have one in them. */
export const KEY_VARIABLES: readonly string[] = [
  'ESPALIER_LLM_KEY',
  'OPENAI_API_KEY',
  'OPENAI_ADMIN_KEY',
  'OPENAI_CUSTOM_HEADERS',
];

const SECRETS: ReadonlySet<string> = new Set([...KEY_VARIABLES, QUEUE_VARIABLE, QUEUE_PASSWORD_VARIABLE]);

/** What a process that we start gets of our environment: others can read it there, and none of them needs these. */
export function withoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !SECRETS.has(name.toUpperCase())));
}
