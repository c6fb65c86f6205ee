import type * as vscode from 'vscode';
import { isRateSearch } from '../../experiment/runPlan.ts';
import type { RateSearchPlan } from '../../experiment/rateSearch.ts';
import type { AskLanguageModel } from '../../protocol/questions.ts';
import { openRun } from '../../runs/runFolder.ts';
import { confirmLlm } from './confirmLlm.ts';
import { EditorModel } from './editorModel.ts';
import { EndpointKeys } from './endpointKeys.ts';
import { removeLanguageModelKey, setUpLanguageModel } from './setUpLanguageModel.ts';

const ENDPOINTS_KEY = 'espalier.llm.endpoints';

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

  /** Key of the endpoint that a run asks; undefined where it asks none, or none is kept. */
  async keyOf(folder: string): Promise<string | undefined> {
    const { plan } = (await openRun(folder)).run;
    return isRateSearch(plan) && plan.llm.provider === 'openai' ? this.keys.get(plan.llm.endpoint) : undefined;
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
