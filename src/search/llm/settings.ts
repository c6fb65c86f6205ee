import { defaultsOf } from '../../experiment/settingRow.ts';
import type { SettingsOf, SettingTable } from '../../experiment/settingRow.ts';

/**
 * The language model that a search asks, as far as it is no secret: keys travel apart from this, and are kept nowhere.
 */
export const LLM_SETTINGS = {
  provider: {
    kind: 'choice',
    default: 'none',
    choices: ['none', 'openai', 'vscode', 'replay'],
    documentation:
      'who proposes: classical operators alone, an OpenAI-compatible endpoint, the editor’s language model, or the replies of a recorded run',
  },
  endpoint: {
    kind: 'text',
    default: '',
    documentation: 'base URL of an OpenAI-compatible endpoint (vLLM, Ollama, llama.cpp server, …); OpenAI’s by itself',
  },
  llm: { kind: 'text', default: '', documentation: 'name of the language model' },
  replay: { kind: 'text', default: '', documentation: 'id of the run whose replies are given again' },
  temperature: {
    kind: 'number',
    default: 1,
    minimum: 0,
    maximum: 2,
    documentation: 'how freely the language model answers',
  },
  replyTokens: {
    kind: 'integer',
    default: 8192,
    minimum: 16,
    maximum: 1_000_000,
    documentation: 'most tokens of one reply',
  },
  timeout: {
    kind: 'number',
    default: 120,
    minimum: 0.1,
    maximum: 3600,
    documentation: 'seconds after which a request is given up and tried again',
  },
  retries: {
    kind: 'integer',
    default: 3,
    minimum: 0,
    maximum: 20,
    documentation: 'further tries of a request that failed on the way, with growing pauses',
  },
  reasks: {
    kind: 'integer',
    default: 2,
    minimum: 0,
    maximum: 10,
    documentation: 'times that the language model is asked again, with the reason, when its reply cannot be used',
  },
  tokenCap: {
    kind: 'integer',
    default: 0,
    minimum: 0,
    maximum: 1_000_000_000,
    documentation: 'tokens after which no request is begun; 0 sets no limit',
  },
  costCap: {
    kind: 'number',
    default: 0,
    minimum: 0,
    maximum: 1e6,
    documentation: 'money after which no request is begun, by the prices below; 0 sets no limit',
  },
  promptPrice: {
    kind: 'number',
    default: 0,
    minimum: 0,
    maximum: 1e6,
    documentation: 'price of a million tokens of prompts',
  },
  replyPrice: {
    kind: 'number',
    default: 0,
    minimum: 0,
    maximum: 1e6,
    documentation: 'price of a million tokens of replies',
  },
} as const satisfies SettingTable;

export type LlmSettings = SettingsOf<typeof LLM_SETTINGS>;
export type LlmSettingName = keyof LlmSettings;
export const DEFAULT_LLM_SETTINGS: LlmSettings = defaultsOf(LLM_SETTINGS);
