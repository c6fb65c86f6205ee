import * as vscode from 'vscode';
import { formatCount } from '../../experiment/format.ts';
import { plainLine } from '../../base/plainText.ts';
import { endpointName, isOpenAiEndpoint } from '../../search/llm/endpoint.ts';
import type { AskingPlan } from '../../search/asking.ts';
import { signalOf } from '../cancellation.ts';
import type { EditorModel } from './editorModel.ts';
import type { EndpointKeys } from './endpointKeys.ts';
import { forecastOfFormulas, forecastOfRates } from './forecast.ts';
import type { LlmForecast } from './forecast.ts';
import { askModal, withNotification } from '../messages.ts';
import { inputName } from '../../experiment/hubName.ts';

export interface ConfirmLlmParts {
  readonly keys: EndpointKeys;
  readonly editorModel: EditorModel;
  /** Decoder blocks of a checkpoint. */
  readonly blocksOf: (model: string) => Promise<number>;
}

/**
 * Asks before a search sends anything to a language model: how often, how much, and what is in it.
 *
 * @returns the plan as it is to be run, without the language model where that is chosen; undefined where it is not to be run
 */
export async function confirmLlm(plan: AskingPlan, parts: ConfirmLlmParts): Promise<AskingPlan | undefined> {
  const { provider, endpoint } = plan.llm;
  if (provider !== 'openai' && provider !== 'vscode') return plan;
  const forecast =
    plan.kind === 'metrics' ? forecastOfFormulas(plan) : forecastOfRates(plan, await parts.blocksOf(plan.model));
  if (forecast.requests === 0) return plan;
  const needsKey =
    provider === 'openai' && isOpenAiEndpoint(endpoint) && (await parts.keys.get(endpoint)) === undefined;
  const [start, without, setUp] = ['Start', 'Without Language Model', 'Set Up Language Model…'];
  const chosen = await askModal(
    `${plainLine(plan.name)} asks ${whoIsAsked(plan)} for ${ASKED_FOR[plan.kind]}.`,
    [...forecastLines(plan, forecast), ...(needsKey ? [NO_KEY] : [])],
    ...(needsKey ? [setUp, without] : [start, without]),
  );
  if (chosen === setUp) await vscode.commands.executeCommand('espalier.setUpLanguageModel');
  if (chosen === without) return { ...plan, llm: { ...plan.llm, provider: 'none' } };
  if (chosen !== start) return undefined;
  // Consent is asked for while the user looks: later nobody may be there.
  if (provider === 'vscode') await askConsent(plan.llm.llm, parts.editorModel);
  return plan;
}

const ASKED_FOR: Readonly<Record<AskingPlan['kind'], string>> = {
  rates: 'pruning rates',
  metrics: 'formulas of metrics',
};

/** What prompts are made of. */
const CONTENT: Readonly<Record<AskingPlan['kind'], string>> = { rates: 'rates', metrics: 'formulas' };

const NO_KEY = 'OpenAI answers nobody without a key, and none is kept yet.';

const KEY_GOES = 'The key that you keep for this endpoint is sent along.';

/**
 * Asks before a run that was begun elsewhere (on another machine, on the command line), or that somebody has changed, sends anything to a
 * language model from here.
 *
 * @param hasKey whether a key goes along
 * @returns whether it is to go on
 */
export async function confirmForeign(plan: AskingPlan, hasKey: boolean): Promise<boolean> {
  const chosen = await askModal(
    `${plainLine(plan.name)} was not begun in this window, or was changed since. It asks ${whoIsAsked(plan)} for ${ASKED_FOR[plan.kind]}.`,
    [...(hasKey ? [KEY_GOES] : []), capLine(plan), contentLine(plan)],
    'Go On',
  );
  return chosen === 'Go On';
}

/** What goes where, how often and how much of it; for a person. */
export function forecastLines(plan: AskingPlan, forecast: LlmForecast): string[] {
  const { requests, most, promptTokens, replyTokens, cost } = forecast;
  return [
    `About ${requests} requests, at most ${most} when replies cannot be used.`,
    `About ${formatCount(promptTokens)} tokens of prompts and ${formatCount(replyTokens)} of replies${cost === undefined ? '' : `, a cost of about ${money(cost)}`}.`,
    capLine(plan),
    contentLine(plan),
  ];
}

function capLine({ llm: { tokenCap, costCap } }: AskingPlan): string {
  const caps = [
    ...(tokenCap > 0 ? [`${formatCount(tokenCap)} tokens`] : []),
    ...(costCap > 0 ? [`a cost of ${money(costCap)}`] : []),
  ];
  return caps.length > 0 ? `No request is begun beyond ${caps.join(' or ')}.` : 'There is no cap on tokens or cost.';
}

function contentLine({ kind, model }: AskingPlan): string {
  return `Prompts hold ${CONTENT[kind]}, perplexities and the name of the model (${plainLine(inputName(model))}); nothing else of yours is sent.`;
}

function money(value: number): string {
  return String(Number(value.toPrecision(2)));
}

function whoIsAsked({ llm }: AskingPlan): string {
  const name = plainLine(llm.llm);
  if (llm.provider === 'vscode') return `the editor’s language model${name === '' ? '' : ` (${name})`}`;
  // As requests go there, not as somebody has spelled it.
  return `${name} at ${endpointName(llm.endpoint)}`;
}

function askConsent(family: string, editorModel: EditorModel): Thenable<void> {
  return withNotification('Asking the editor’s language model', (_, token) =>
    editorModel.prepare(family, signalOf(token)),
  );
}
