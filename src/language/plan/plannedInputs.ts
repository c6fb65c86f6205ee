import { resolve } from 'node:path';
import { DEFAULT_ROWS, ROWS_SETTINGS, saidOfRows } from '../../experiment/corpusRows.ts';
import type { PlannedText, RowsSettings } from '../../experiment/corpusRows.ts';
import { isHubReference } from '../../experiment/hubReference.ts';
import type { SampleNeeds } from '../../experiment/planned.ts';
import type { EvaluationPlan, PlanInputs } from '../../experiment/planSchema.ts';
import type { PlannedTask } from '../../experiment/taskSchema.ts';
import { protocolOf, protocolSettings } from '../../experiment/protocols.ts';
import type { Protocol, ProtocolName } from '../../experiment/protocols.ts';
import { settingsWith } from '../../experiment/settingRow.ts';
import { DEFAULT_SETTINGS } from '../../experiment/settings.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import type { BlockContent, SaidTask, SearchContent, TextInput } from '../check/document.ts';

/** A path of the file as it is used: absolute, unless it is of the hub. */
export function locate(folder: string, path: string): string {
  return isHubReference(path) ? path : resolve(folder, path);
}

type SaidTexts = Pick<
  BlockContent,
  'evaluate' | 'calibrate' | 'gradients' | 'train' | 'validate' | 'protocol' | 'rows'
> &
  Pick<SearchContent, 'test'>;

/** The texts of a plan; what nothing and no protocol says is left out. */
export type PlannedTexts = Partial<
  Pick<PlanInputs, 'text' | 'calibration' | 'gradients' | 'train' | 'validate' | 'rows' | 'protocol'>
> & {
  readonly test?: string;
};

/**
 * The texts that a block says, with those of its protocol where it says none, and how each is made of its rows: what is said of them by
 * flags goes first, then what is said where a text is named or declared, then the protocol.
 *
 * @param kind of a search a protocol's text is the one that it never sees: what it takes its fitness on has to be said
 * @param needs what samples are needed for: the text of a protocol that nothing would read is neither named nor fetched
 */
export function plannedTexts(
  content: SaidTexts,
  folder: string,
  kind: 'experiment' | 'search',
  needs: SampleNeeds = { calibration: true, gradients: true },
): PlannedTexts {
  const { protocol: name } = content;
  const texts: Protocol['texts'] = name === undefined ? {} : protocolOf(name).texts;
  // What the fitness is taken on is not unseen.
  const unseen = kind === 'search' && content.evaluate?.path !== texts.text?.from ? texts.text : undefined;
  const inputs = {
    text: content.evaluate ?? (kind === 'experiment' ? from(texts.text) : undefined),
    calibration: content.calibrate ?? (needs.calibration ? from(texts.calibration) : undefined),
    gradients: content.gradients ?? (needs.gradients ? from(texts.gradients) : undefined),
    train: content.train,
    validate: content.validate,
    test: content.test ?? from(unseen),
  };
  const ofProtocol: Protocol['texts'] & Partial<Record<PlannedText, Protocol['texts'][keyof Protocol['texts']]>> = {
    ...texts,
    ...(unseen && { test: unseen }),
  };
  const planned: Partial<Record<PlannedText, string>> = {};
  const rows: Partial<Record<PlannedText, RowsSettings>> = {};
  for (const text of ['text', 'calibration', 'gradients', 'train', 'validate', 'test'] as const) {
    const input = inputs[text];
    if (input === undefined) continue;
    planned[text] = locate(folder, input.path);
    const said = settingsWith(
      ROWS_SETTINGS,
      ofProtocol[text]?.rows ?? {},
      input.rows ?? {},
      content.rows?.[text] ?? {},
    );
    if (saidOfRows(said)) rows[text] = said;
  }
  return {
    ...planned,
    ...(Object.keys(rows).length > 0 && { rows }),
    ...(name !== undefined && { protocol: name }),
  };
}

function from(text: { readonly from?: string } | undefined): TextInput | undefined {
  return text?.from === undefined ? undefined : { path: text.from };
}

/** All settings: what was said of each last, then the protocol's, then the defaults. */
export function plannedSettings(
  protocol: ProtocolName | undefined,
  ...said: readonly Partial<EvaluationSettings>[]
): EvaluationSettings {
  return Object.assign({}, DEFAULT_SETTINGS, protocolSettings(protocol), ...said) as EvaluationSettings;
}

/** A plan's text as a block names it: what it says nothing of is as ever, whatever a protocol has in its place. */
export function textInput(path: string | undefined, rows: RowsSettings | undefined): TextInput | undefined {
  return path === undefined ? undefined : { path, rows: { ...DEFAULT_ROWS, ...rows } };
}

/** What a plan works on, as a block says it. */
export function contentOf({
  model,
  text,
  calibration,
  gradients,
  train,
  validate,
  rows = {},
  protocol,
  settings,
  tasks,
}: PlanInputs & Pick<EvaluationPlan, 'tasks'>): BlockContent {
  const [calibrate, ofGradients] = [textInput(calibration, rows.calibration), textInput(gradients, rows.gradients)];
  const [trained, validated] = [textInput(train, rows.train), textInput(validate, rows.validate)];
  return {
    model,
    evaluate: textInput(text, rows.text)!,
    ...(calibrate && { calibrate }),
    ...(ofGradients && { gradients: ofGradients }),
    ...(trained && { train: trained }),
    ...(validated && { validate: validated }),
    ...(protocol && { protocol }),
    ...(tasks && { tasks: tasks.list.map(saidTask), asking: { harness: tasks.harness, bos: tasks.beginning } }),
    settings,
  };
}

function saidTask({ task, template, ...said }: PlannedTask): SaidTask {
  return { name: task, ...said, ...(template && { own: { path: said.documents!, template } }) };
}
