import type * as vscode from 'vscode';
import { endpointName } from '../../search/llm/endpoint.ts';

export interface EndpointKeysParts {
  /** The system's keychain, or what the editor has in its place. */
  readonly secrets: Pick<vscode.SecretStorage, 'get' | 'store' | 'delete'>;
  /** Which endpoints have a key: a keychain cannot be listed. */
  readonly index: { get(): readonly string[]; set(endpoints: readonly string[]): PromiseLike<void> };
}

/** Keys of language models, one for each endpoint: a key is only ever sent to the endpoint that it was given for. */
export class EndpointKeys {
  private readonly parts: EndpointKeysParts;

  constructor(parts: EndpointKeysParts) {
    this.parts = parts;
  }

  /** Endpoints that have a key. */
  get endpoints(): readonly string[] {
    return this.parts.index.get();
  }

  /** @param endpoint as the settings have it; empty for OpenAI's own */
  async get(endpoint: string): Promise<string | undefined> {
    return this.parts.secrets.get(secretName(endpointName(endpoint)));
  }

  async set(endpoint: string, key: string): Promise<void> {
    const name = endpointName(endpoint);
    await this.parts.secrets.store(secretName(name), key);
    await this.parts.index.set([...this.endpoints.filter((other) => other !== name), name]);
  }

  async remove(endpoint: string): Promise<void> {
    const name = endpointName(endpoint);
    await this.parts.secrets.delete(secretName(name));
    await this.parts.index.set(this.endpoints.filter((other) => other !== name));
  }
}

function secretName(endpoint: string): string {
  return `espalier.llm.key:${endpoint}`;
}
