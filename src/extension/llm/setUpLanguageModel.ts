import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { toErrorData } from '../../base/errors.ts';
import { DEFAULT_LLM_SETTINGS } from '../../search/llm/settings.ts';
import { checkEndpoint, endpointName, isOpenAiEndpoint, OPENAI_ENDPOINT } from '../../search/llm/endpoint.ts';
import { listModels } from '../../llm/listModels.ts';
import type { Endpoint } from '../../llm/listModels.ts';
import { openAiModel } from '../../llm/openAi.ts';
import { signalOf } from '../cancellation.ts';
import { SYSTEM_CLOCK } from '../../base/clock.ts';
import type { EditorModel } from './editorModel.ts';
import type { EndpointKeys } from './endpointKeys.ts';
import { chosenLanguageModel, chooseLanguageModel } from './llmConfiguration.ts';
import { plainItems, tellInformation, tellWarning, withNotification } from '../messages.ts';

export interface SetUpParts {
  readonly keys: EndpointKeys;
  readonly editorModel: EditorModel;
  readonly tell: (what: string, error: unknown) => void;
}

const TITLE = 'Espalier: Set Up Language Model';

type Kind = 'openai' | 'local' | 'other' | 'vscode' | 'none';

interface ProviderItem extends vscode.QuickPickItem {
  readonly provider: Kind;
  readonly endpoint: string;
}

const PROVIDERS: readonly ProviderItem[] = [
  { label: 'OpenAI', description: OPENAI_ENDPOINT, detail: 'Needs a key', provider: 'openai', endpoint: '' },
  local('Ollama', 'http://localhost:11434/v1'),
  local('vLLM', 'http://localhost:8000/v1'),
  local('llama.cpp server', 'http://localhost:8080/v1'),
  {
    label: 'Another endpoint…',
    detail: 'Anything that answers like OpenAI’s chat completions',
    provider: 'other',
    endpoint: '',
  },
  {
    label: 'The editor’s language model',
    detail: 'One that an extension brings, such as Copilot; VS Code asks for your consent',
    provider: 'vscode',
    endpoint: '',
  },
  {
    label: 'None',
    detail: 'Searches for rates use classical operators alone; nothing leaves this machine',
    provider: 'none',
    endpoint: '',
  },
];

/** *Set Up Language Model…*: who proposes rates in searches that do not say so themselves. Tried out before it is said to work. */
export async function setUpLanguageModel(parts: SetUpParts): Promise<void> {
  const current = chosenLanguageModel();
  const provider = await vscode.window.showQuickPick(PROVIDERS, {
    title: TITLE,
    placeHolder: `Who proposes pruning rates? Now: ${describe(current)}`,
    matchOnDescription: true,
  });
  if (!provider) return;
  switch (provider.provider) {
    case 'none':
      await chooseLanguageModel({ provider: 'none', endpoint: '', model: '' });
      void tellInformation('Searches for rates use classical operators from now on.');
      return;
    case 'vscode':
      await setUpEditorModel(parts);
      return;
    case 'openai':
    case 'local':
    case 'other':
      await setUpEndpoint(provider, parts);
  }
}

/** *Remove Language Model Key*. */
export async function removeLanguageModelKey({ keys }: Pick<SetUpParts, 'keys'>): Promise<void> {
  const { endpoints } = keys;
  const chosen = await vscode.window.showQuickPick(
    endpoints.map((label) => ({ label })),
    {
      title: 'Espalier: Remove Language Model Key',
      placeHolder: endpoints.length === 0 ? 'No key is kept' : 'The key of this endpoint is deleted',
    },
  );
  if (!chosen) return;
  await keys.remove(chosen.label);
  void tellInformation(`The key of ${chosen.label} is deleted.`);
}

async function setUpEndpoint(item: ProviderItem, parts: SetUpParts): Promise<void> {
  const { keys, tell } = parts;
  const endpoint = item.provider === 'openai' ? '' : await askEndpoint(item.endpoint);
  if (endpoint === undefined) return;
  const key = await askKey(endpoint, await keys.get(endpoint));
  if (key === undefined) return;
  const secret = key === '' ? undefined : key;
  const model = await askModel({ url: endpoint, key: secret });
  if (model === undefined || model === '') return;
  let answer: string | undefined;
  try {
    answer = await withNotification(`Asking ${model} for one word`, (_, token) =>
      tryModel({ url: endpoint, key: secret }, model, signalOf(token)),
    );
  } catch (error) {
    if (toErrorData(error, TITLE).code === 'cancelled') return;
    tell('The language model does not answer', error);
    const anyway = 'Keep These Settings';
    const chosen = await tellWarning(`${model} did not answer.`, anyway, 'Try Again');
    if (chosen === 'Try Again') return setUpEndpoint({ ...item, endpoint }, parts);
    if (chosen !== anyway) return;
  }
  if (secret === undefined) await keys.remove(endpoint);
  else await keys.set(endpoint, secret);
  await chooseLanguageModel({ provider: 'openai', endpoint, model });
  if (answer === undefined) return;
  const said = answer === '' ? '' : ` “${answer}”`;
  void tellInformation(
    `${model} is reachable, and answers${said}. Searches for rates that name no language model use it.`,
  );
}

/** Seconds. A model that is loaded first takes its time to answer. */
const PATIENCE = 60;

/**
 * Asks for one word, as a search asks for rates: shows that endpoint, key and model fit.
 *
 * @returns what the model said, shortened
 */
async function tryModel({ url, key }: Endpoint, llm: string, signal: AbortSignal): Promise<string> {
  const settings = { ...DEFAULT_LLM_SETTINGS, provider: 'openai', endpoint: url, llm, timeout: PATIENCE } as const;
  const grant = { endpoint: endpointName(url), ...(key !== undefined && { key }) };
  const model = openAiModel({ settings, grant, timer: SYSTEM_CLOCK });
  const question = { prompt: 'Answer with the single word OK.', role: 'initialise', generation: 0 } as const;
  const { text } = await model.complete({ ...question, idempotencyKey: randomUUID() }, signal);
  return text.trim().replace(/\s+/g, ' ').slice(0, 80);
}

async function setUpEditorModel({ editorModel, tell }: SetUpParts): Promise<void> {
  try {
    const families = await editorModel.families();
    const items = [
      { label: 'Any', detail: 'The first that there is', family: '' },
      ...plainItems(
        families.map(({ name, family, vendor }) => ({ label: name, description: `${vendor}, ${family}`, family })),
      ),
    ];
    const placeHolder =
      families.length === 0 ? 'This editor has no language model now' : 'Language model of the editor';
    const chosen = await vscode.window.showQuickPick(items, { title: TITLE, placeHolder });
    if (!chosen) return;
    await withNotification('Asking the editor’s language model', (_, token) =>
      editorModel.prepare(chosen.family, signalOf(token)),
    );
    await chooseLanguageModel({ provider: 'vscode', endpoint: '', model: chosen.family });
    void tellInformation('The editor’s language model is reachable, and answers.');
  } catch (error) {
    tell('The editor’s language model does not answer', error);
  }
}

function askEndpoint(suggested: string): Thenable<string | undefined> {
  return vscode.window
    .showInputBox({
      title: TITLE,
      prompt: 'Base URL, usually ending with /v1',
      value: suggested === '' ? 'http://localhost:8000/v1' : suggested,
      ignoreFocusOut: true,
      validateInput: (text) => {
        try {
          checkEndpoint(text.trim() === '' ? ' ' : text.trim());
          return undefined;
        } catch (error) {
          const { expected, actual } = toErrorData(error, TITLE);
          return `Expected ${expected}; this is ${actual}.`;
        }
      },
    })
    .then((text) => text?.trim());
}

/** @returns an empty text for none; a key that is kept already is not shown, and stays where nothing is typed */
async function askKey(endpoint: string, kept: string | undefined): Promise<string | undefined> {
  const isNeeded = isOpenAiEndpoint(endpoint) && kept === undefined;
  const typed = await vscode.window.showInputBox({
    title: TITLE,
    prompt:
      (kept === undefined
        ? 'Key; it is kept in the system’s keychain and sent to this endpoint alone'
        : 'Key; leave it empty to go on with the one that is kept') + (isOpen(endpoint) ? ', unencrypted' : ''),
    placeHolder: isNeeded ? 'sk-…' : 'empty for none',
    password: true,
    ignoreFocusOut: true,
    validateInput: (text) => (isNeeded && text.trim() === '' ? 'OpenAI answers nobody without a key.' : undefined),
  });
  if (typed === undefined) return undefined;
  return typed.trim() === '' ? (kept ?? '') : typed.trim();
}

/** Whether what is sent there can be read on its way. */
function isOpen(endpoint: string): boolean {
  const { protocol, hostname } = checkEndpoint(endpoint);
  return protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}

/** One of those that the endpoint has, or one that is typed. */
async function askModel(endpoint: Endpoint): Promise<string | undefined> {
  const names = await withNotification(
    'Asking for its models',
    () => listModels(endpoint, SYSTEM_CLOCK, new AbortController().signal),
    { cancellable: false },
  ).then(undefined, () => undefined);
  const typed = { label: '$(edit) Type a name…' };
  if (names && names.length > 0) {
    const items = [...plainItems(names.map((name) => ({ label: name, name }))), { ...typed, name: '' }];
    const chosen = await vscode.window.showQuickPick(items, {
      title: TITLE,
      placeHolder: 'Model',
      ignoreFocusOut: true,
    });
    if (!chosen) return undefined;
    if (chosen.name !== '') return chosen.name;
  }
  const prompt = names ? 'Name of the model' : 'Name of the model; the endpoint did not list its own';
  const name = await vscode.window.showInputBox({
    title: TITLE,
    prompt,
    value: chosenLanguageModel().model,
    ignoreFocusOut: true,
    validateInput: (text) => (text.trim() === '' ? 'A name, as the endpoint has it.' : undefined),
  });
  return name?.trim();
}

function describe({ provider, endpoint, model }: ReturnType<typeof chosenLanguageModel>): string {
  if (provider === 'none') return 'nobody but classical operators';
  if (provider === 'vscode') return `the editor’s language model${model === '' ? '' : ` (${model})`}`;
  return `${model} at ${endpoint === '' ? OPENAI_ENDPOINT : endpoint}`;
}

function local(label: string, endpoint: string): ProviderItem {
  return { label, description: endpoint, detail: 'On this machine', provider: 'local', endpoint };
}
