import { endpointName } from '../../search/llm/endpoint.ts';
import { KeptSecrets } from '../keptSecrets.ts';
import type { KeptSecretsParts } from '../keptSecrets.ts';

/** Keys of language models, one for each endpoint: a key is only ever sent to the endpoint that it was given for. */
export class EndpointKeys {
  private readonly kept: KeptSecrets;

  constructor(parts: KeptSecretsParts) {
    this.kept = new KeptSecrets('espalier.llm.key', parts);
  }

  /** Endpoints that have a key. */
  get endpoints(): readonly string[] {
    return this.kept.names;
  }

  /** @param endpoint as the settings have it; empty for OpenAI's own */
  async get(endpoint: string): Promise<string | undefined> {
    return this.kept.get(endpointName(endpoint));
  }

  async set(endpoint: string, key: string): Promise<void> {
    await this.kept.set(endpointName(endpoint), key);
  }

  async remove(endpoint: string): Promise<void> {
    await this.kept.remove(endpointName(endpoint));
  }
}
