import type * as vscode from 'vscode';
import { isRateSearch } from '../../experiment/runPlan.ts';
import type { RateSearchPlan } from '../../experiment/rateSearch.ts';
import type { AskLanguageModel } from '../../protocol/questions.ts';
import { cancelledError } from '../../base/errors.ts';
import { openRun } from '../../runs/runFolder.ts';
import { confirmForeign, confirmLlm } from './confirmLlm.ts';
import { EditorModel } from './editorModel.ts';
import { EndpointKeys } from './endpointKeys.ts';
import { removeLanguageModelKey, setUpLanguageModel } from './setUpLanguageModel.ts';

const ENDPOINTS_KEY = 'espalier.llm.endpoints';
const AGREED_KEY = 'espalier.llm.agreedRuns';
/** Ids that are remembered; who goes on with one that is older is asked again. */
const MOST_AGREED = 500;

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
   * Key of the endpoint that a run asks; undefined where it asks none, or none is kept.
   *
   * @throws EspalierError `cancelled` where the run was begun elsewhere, and the person does not want it to ask
   */
  async keyOf(folder: string): Promise<string | undefined> {
    const { plan, id } = (await openRun(folder)).run;
    if (!isRateSearch(plan) || (plan.llm.provider !== 'openai' && plan.llm.provider !== 'vscode')) return undefined;
    if (!this.agreedRuns.includes(id)) {
      if (!(await confirmForeign(plan))) throw cancelledError('asking a language model');
      await this.agreed(id);
    }
    return plan.llm.provider === 'openai' ? this.keys.get(plan.llm.endpoint) : undefined;
  }

  /** The person has agreed to what this run asks. */
  async agreed(id: string): Promise<void> {
    await this.parts.context.workspaceState.update(AGREED_KEY, [...this.agreedRuns, id].slice(-MOST_AGREED));
  }

  private get agreedRuns(): readonly string[] {
    return this.parts.context.workspaceState.get<readonly string[]>(AGREED_KEY, []);
  }

  confirm(plan: RateSearchPlan): Promise<RateSearchPlan | undefined> {
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
