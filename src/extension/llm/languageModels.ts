import type * as vscode from 'vscode';
import { endpointName, originOf } from '../../search/llm/endpoint.ts';
import type { LlmGrant } from '../../search/llm/endpoint.ts';
import { mayAsk } from '../../search/asking.ts';
import type { AskingPlan } from '../../search/asking.ts';
import type { AskLanguageModel } from '../../protocol/requests.ts';
import { cancelledError } from '../../base/errors.ts';
import { openRun } from '../../runs/runFolder.ts';
import type { RunFolder } from '../../runs/runFolder.ts';
import type { RunRecord } from '../../runs/runRecord.ts';
import { confirmForeign, confirmLlm } from './confirmLlm.ts';
import { EditorModel } from './editorModel.ts';
import { EndpointKeys } from './endpointKeys.ts';
import { removeLanguageModelKey, setUpLanguageModel } from './setUpLanguageModel.ts';

const ENDPOINTS_KEY = 'espalier.llm.endpoints';
const AGREED_KEY = 'espalier.llm.agreements';
/** Agreements that are remembered; who goes on with a run that is older is asked again. */
const MOST_AGREED = 500;

/** What a run may do with language models, once the person has agreed. */
export interface LlmAccess {
  /** Where it asks an endpoint. */
  readonly grant?: LlmGrant;
  /** Whether it may ask the editor's own. */
  readonly editor: boolean;
}

export interface LanguageModelsParts {
  readonly context: vscode.ExtensionContext;
  /** Decoder blocks of a checkpoint. */
  readonly blocksOf: (model: string) => Promise<number>;
  readonly tell: (what: string, error: unknown) => void;
}

/** Everything about language models that searches ask: which, with what key, and whether at all. */
export class LanguageModels {
  private readonly parts: LanguageModelsParts;
  private readonly keys: EndpointKeys;
  private readonly editorModel: EditorModel;

  constructor(parts: LanguageModelsParts) {
    this.parts = parts;
    const { secrets, globalState, languageModelAccessInformation } = parts.context;
    this.keys = new EndpointKeys({
      secrets,
      index: {
        get: () => globalState.get<readonly string[]>(ENDPOINTS_KEY, []),
        set: (endpoints) => globalState.update(ENDPOINTS_KEY, endpoints),
      },
    });
    this.editorModel = new EditorModel({ access: languageModelAccessInformation });
  }

  get ask(): AskLanguageModel {
    return this.editorModel.ask;
  }

  /**
   * What a run may ask, and with what key. Nothing is read twice: a run.json that is changed after this gets no more than what was agreed to.
   *
   * @throws EspalierError `cancelled` where the run was begun elsewhere, or changed since, and the person does not want it to ask
   */
  async accessOf(folder: string): Promise<LlmAccess> {
    const { record: run } = await openRun(folder);
    const { plan } = run;
    const agreement = agreementTo(run);
    if (!mayAsk(plan) || agreement === undefined) return { editor: false };
    const { provider, endpoint } = plan.llm;
    const key = provider === 'openai' ? await this.keys.get(endpoint) : undefined;
    if (!this.agreements.includes(agreement)) {
      if (!(await confirmForeign(plan, key !== undefined))) throw cancelledError('asking a language model');
      await this.remember(agreement);
    }
    if (provider === 'vscode') return { editor: true };
    return { grant: { endpoint: endpointName(endpoint), ...(key !== undefined && { key }) }, editor: false };
  }

  /** The person has agreed to what this run asks. */
  async agreed({ record: run }: RunFolder): Promise<void> {
    const agreement = agreementTo(run);
    if (agreement !== undefined) await this.remember(agreement);
  }

  private async remember(agreement: string): Promise<void> {
    await this.parts.context.workspaceState.update(AGREED_KEY, [...this.agreements, agreement].slice(-MOST_AGREED));
  }

  private get agreements(): readonly string[] {
    return this.parts.context.workspaceState.get<readonly string[]>(AGREED_KEY, []);
  }

  confirm(plan: AskingPlan): Promise<AskingPlan | undefined> {
    const { keys, editorModel } = this;
    return confirmLlm(plan, { keys, editorModel, blocksOf: this.parts.blocksOf });
  }

  async setUp(): Promise<void> {
    const { keys, editorModel } = this;
    const { tell } = this.parts;
    await setUpLanguageModel({ keys, editorModel, tell }).catch((error: unknown) => {
      tell('The language model could not be set up', error);
    });
  }

  async removeKey(): Promise<void> {
    await removeLanguageModelKey({ keys: this.keys }).catch((error: unknown) => {
      this.parts.tell('The key could not be deleted', error);
    });
  }
}

/**
 * What one agrees to with a run: whom it asks (an endpoint by its origin), what, and up to which limits. Whoever changes any of it changes
 * this, and the person is asked anew. Undefined where it asks nobody.
 */
function agreementTo({ id, plan, fingerprint }: RunRecord): string | undefined {
  if (!mayAsk(plan)) return undefined;
  const { provider, endpoint, llm, tokenCap, costCap, promptPrice, replyPrice } = plan.llm;
  if (provider !== 'openai' && provider !== 'vscode') return undefined;
  const who = provider === 'openai' ? originOf(endpoint) : provider;
  // The fingerprint holds the rest: endpoint, prompts, everything that decides what is asked.
  return JSON.stringify([who, llm, tokenCap, costCap, promptPrice, replyPrice, id, fingerprint]);
}
