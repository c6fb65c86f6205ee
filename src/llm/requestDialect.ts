import { isOpenAiEndpoint } from '../search/llm/endpoint.ts';
import type { LlmSettings } from '../search/llm/settings.ts';

/** The two names that the most tokens of a reply go by. */
const LIMITS = ['max_tokens', 'max_completion_tokens'] as const;
const COUNTING = 'stream_options';
/** How servers say that they do not know an option, as opposed to not liking its value. */
const UNKNOWN = /unsupported|not supported|unknown|unrecogni[sz]ed|unexpected|not (?:permitted|allowed)|extra/i;

/**
 * The options of a request that not every OpenAI-compatible server takes: which of them this one takes is learnt from its refusals. None
 * changes what is asked: the limit of a reply has one meaning by two names, and without {@link COUNTING} usage is estimated.
 */
export class RequestDialect {
  private readonly settings: LlmSettings;
  private readonly refused = new Set<string>();
  private limit: (typeof LIMITS)[number];

  constructor(settings: LlmSettings) {
    this.settings = settings;
    // OpenAI’s newer models know only the one name, other servers often only the other.
    this.limit = LIMITS[isOpenAiEndpoint(settings.endpoint) ? 1 : 0];
  }

  get options(): object {
    const { endpoint, temperature, replyTokens } = this.settings;
    return {
      [this.limit]: replyTokens,
      ...(!this.refused.has(COUNTING) && { [COUNTING]: { include_usage: true } }),
      // OpenAI’s newer models take no temperature but the default.
      ...(!(isOpenAiEndpoint(endpoint) && temperature === 1) && { temperature }),
    };
  }

  /**
   * @param said why a server refused a request with {@link options}
   * @returns whether other options are left to ask with
   */
  learn(said: string): boolean {
    const sent = Object.keys(this.options).filter((name) => name !== 'temperature');
    const meant = sent.find((name) => said.includes(name));
    if (meant === undefined || !UNKNOWN.test(said)) return false;
    this.refused.add(meant);
    if (meant !== this.limit) return true;
    const other = LIMITS.find((name) => !this.refused.has(name));
    this.limit = other ?? this.limit;
    return other !== undefined;
  }
}
