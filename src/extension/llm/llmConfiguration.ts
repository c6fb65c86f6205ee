import * as vscode from 'vscode';
import type { LlmSettings } from '../../search/llm/settings.ts';

const SECTION = 'espalier.llm';

/** The machine's language model, which searches ask that name none. A key is no setting: see {@link EndpointKeys}. */
export interface ChosenLanguageModel {
  readonly provider: 'none' | 'openai' | 'vscode';
  /** Base URL; empty for OpenAI's own. */
  readonly endpoint: string;
  readonly model: string;
}

/** The settings that the editor offers; the manifest declares them under these names (a test compares them). */
export const LLM_SETTING_KEYS = ['provider', 'endpoint', 'model'] as const satisfies (keyof ChosenLanguageModel)[];

/** What a search that says nothing about its language model asks; empty where none is set up. */
export function llmFallback(): Partial<LlmSettings> {
  const { provider, endpoint, model } = chosenLanguageModel();
  if (provider === 'none') return {};
  return { provider, llm: model, ...(provider === 'openai' && { endpoint }) };
}

export function chosenLanguageModel(): ChosenLanguageModel {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  return {
    provider: configuration.get<ChosenLanguageModel['provider']>('provider', 'none'),
    endpoint: configuration.get<string>('endpoint', ''),
    model: configuration.get<string>('model', ''),
  };
}

export async function chooseLanguageModel(chosen: ChosenLanguageModel): Promise<void> {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  for (const name of LLM_SETTING_KEYS)
    await configuration.update(name, chosen[name] === '' ? undefined : chosen[name], vscode.ConfigurationTarget.Global);
}
