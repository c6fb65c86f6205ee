import type * as vscode from 'vscode';

export interface KeptSecretsParts {
  /** The system's keychain, or what the editor has in its place. */
  readonly secrets: Pick<vscode.SecretStorage, 'get' | 'store' | 'delete'>;
  /** What there is a secret for: a keychain cannot be listed. */
  readonly index: { get(): readonly string[]; set(names: readonly string[]): PromiseLike<void> };
}

/** Secrets of one kind, each under the name of whom it is for: it is sent to nobody else. */
export class KeptSecrets {
  private readonly kind: string;
  private readonly parts: KeptSecretsParts;

  /** @param kind what their names in the keychain begin with */
  constructor(kind: string, parts: KeptSecretsParts) {
    this.kind = kind;
    this.parts = parts;
  }

  /** Whom there is one for. */
  get names(): readonly string[] {
    return this.parts.index.get();
  }

  async get(name: string): Promise<string | undefined> {
    return this.parts.secrets.get(`${this.kind}:${name}`);
  }

  async set(name: string, secret: string): Promise<void> {
    await this.parts.secrets.store(`${this.kind}:${name}`, secret);
    await this.parts.index.set([...this.names.filter((other) => other !== name), name]);
  }

  async remove(name: string): Promise<void> {
    await this.parts.secrets.delete(`${this.kind}:${name}`);
    await this.parts.index.set(this.names.filter((other) => other !== name));
  }
}
