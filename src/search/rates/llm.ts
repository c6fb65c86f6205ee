/**
 * The language model that a search asks, as far as it is no secret: keys travel apart from this, and are kept nowhere.
 * Each setting has one row in {@link LLM_SETTINGS}, which drives flags, `.prune` properties and checks.
 */
export interface LlmSettings {
  /** `none`: classical operators alone. */
  readonly provider: 'none' | 'openai' | 'vscode' | 'replay';
  /** Of an OpenAI-compatible endpoint, without user or password; empty: that of OpenAI. */
  readonly endpoint: string;
  /** The provider's name for the model; of `vscode` a family, empty for any. */
  readonly llm: string;
  /** Run whose replies are given again, by its id. */
  readonly replay: string;
  readonly temperature: number;
  /** Most tokens of a reply. */
  readonly replyTokens: number;
  /** Seconds after which one request is given up and tried again. */
  readonly timeout: number;
  /** Further tries of a request that failed on the way (429, 5xx, time-out, a connection that broke). */
  readonly retries: number;
  /** Times that the model is asked again, with the reason, when nothing in its reply can be used. */
  readonly reasks: number;
  /** Tokens after which no request is begun, replies and prompts together; 0 sets no limit. */
  readonly tokenCap: number;
  /** Money after which no request is begun, in the currency of the prices; 0 sets no limit. */
  readonly costCap: number;
  /** For a million tokens of prompts, and of replies. */
  readonly promptPrice: number;
  readonly replyPrice: number;
}

export type LlmSettingName = keyof LlmSettings;

export type LlmSettingRow<Value> = {
  readonly default: Value;
  /** One line, for `--help`, hover and completion. */
  readonly documentation: string;
} & ([Value] extends [number]
  ? { readonly kind: 'integer' | 'number'; readonly minimum: number; readonly maximum: number }
  : [string] extends [Value]
    ? { readonly kind: 'text' }
    : { readonly kind: 'choice'; readonly choices: readonly Value[] });

export const LLM_SETTINGS: { readonly [Name in LlmSettingName]: LlmSettingRow<LlmSettings[Name]> } = {
  provider: {
    kind: 'choice',
    default: 'none',
    choices: ['none', 'openai', 'vscode', 'replay'],
    documentation:
      'who proposes rates: classical operators alone, an OpenAI-compatible endpoint, the editor’s language model, or the replies of a recorded run',
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
};

export const DEFAULT_LLM_SETTINGS: LlmSettings = Object.fromEntries(
  Object.entries(LLM_SETTINGS).map(([name, row]) => [name, row.default]),
) as unknown as LlmSettings;

/** What the language model is asked for. */
export type LlmRole = 'initialise' | 'mutate' | 'cross';
export const LLM_ROLES: readonly LlmRole[] = ['initialise', 'mutate', 'cross'];

/**
 * Prompts as templates: `{{name}}` stands for what the search fills in (model, architecture, blocks, sparsity, count, population, …). A
 * run keeps the text that it began with.
 */
export type PromptTemplates = Readonly<Record<LlmRole | 'again', string>>;

export interface LlmUsage {
  readonly promptTokens: number;
  readonly replyTokens: number;
  /** Whether the provider said so; otherwise estimated from the length of the texts. */
  readonly estimated?: true;
}
