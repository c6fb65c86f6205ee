import { ROWS_SETTINGS, rowsText, saidOfRows } from './corpusRows.ts';
import type { RowsSettings } from './corpusRows.ts';
import { isStructural } from './planned.ts';
import type { PlanInputs, PlannedEvaluation } from './planSchema.ts';
import { hubNameOf } from './hubName.ts';
import { parseHubText } from './hubReference.ts';
import { defaultLength } from './length.ts';
import { protocolGroup } from './protocolGroup.ts';
import { protocolOf, protocolSettings } from './protocols.ts';
import type { ProtocolText } from './protocols.ts';
import { decidingNames, settingsWith } from './settingRow.ts';
import { SETTINGS } from './settings.ts';
import type { SettingName } from './settings.ts';

/** What is known of a plan's inputs once they are open. */
export interface KnownInputs {
  /** Tokens of the longest text that the model was made for. */
  readonly modelLength: number;
  /** sha-256 of the files, by what they are for. */
  readonly hashes: { readonly [Text in keyof typeof NAMES]?: string };
  /** Whether samples are cut for calibration, and for G. */
  readonly calibrated: boolean;
  readonly gradients: boolean;
}

/**
 * In what a plan differs from the protocol that it names, as a reader is told: "length 1024", "text my.txt"; empty where in nothing. Only
 * what decides the numbers counts: nothing of a calibration that there is none of.
 */
export function deviationsOf(plan: PlanInputs, known: KnownInputs): readonly string[] {
  const { protocol, settings } = plan;
  if (protocol === undefined) return [];
  const { texts } = protocolOf(protocol);
  const told: string[] = [];
  for (const name of ['text', 'calibration', 'gradients'] as const) {
    const isUsed = name === 'text' || (name === 'calibration' ? known.calibrated : known.gradients);
    if (isUsed)
      told.push(...textDeviations(NAMES[name], texts[name], plan[name], plan.rows?.[name], known.hashes[name]));
  }
  const expected = settingsWith(SETTINGS, protocolSettings(protocol));
  for (const name of decidingNames(SETTINGS)) {
    if (isIdle(name, known)) continue;
    if (name === 'length') {
      const meant = expected.length || defaultLength(known.modelLength, expected.lengthLimit);
      if ((settings.length || defaultLength(known.modelLength, settings.lengthLimit)) !== meant)
        told.push(`length ${settings.length || `0, at most ${settings.lengthLimit}`}`);
    } else if (settings[name] !== expected[name]) told.push(`${WORDS[name] ?? name} ${String(settings[name])}`);
  }
  return told;
}

/** In what one evaluation of a plan differs further: a group of its own that is not the protocol's for it. */
export function ownDeviations(plan: PlanInputs, evaluation: PlannedEvaluation): readonly string[] {
  const { protocol } = plan;
  if (protocol === undefined || isStructural(evaluation) || evaluation.sparsity.kind === 'n:m') return [];
  const { expression, group } = evaluation;
  const ofOthers = settingsWith(SETTINGS, protocolSettings(protocol)).group;
  const isMeant = group === undefined || group === ((expression && protocolGroup(protocol, expression)) ?? ofOthers);
  // Said of all metrics it is told already.
  return isMeant || (group === plan.settings.group && group !== ofOthers) ? [] : [`group ${group}`];
}

/** "wanda, but length 1024": what a number is called that was computed so. */
export function protocolText(protocol: string, deviations: readonly string[]): string {
  return deviations.length === 0 ? protocol : `${protocol}, but ${deviations.join(', ')}`;
}

const NAMES = { text: 'text', calibration: 'calibration text', gradients: 'text of gradients' } as const;

/** What settings are called where their names mean something else to a reader. */
const WORDS: Partial<Record<SettingName, string>> = {
  calibrationLength: 'length of samples',
  calibrate: 'calibration',
  gradientSamples: 'samples for gradients',
  gradientLength: 'length of samples for gradients',
  gradientOffsets: 'offsets for gradients',
};

const OF_CALIBRATION: ReadonlySet<SettingName> = new Set([
  'samples',
  'calibrationLength',
  'offsets',
  'seed',
  'calibrate',
]);
const OF_GRADIENTS: ReadonlySet<SettingName> = new Set(['gradientSamples', 'gradientLength', 'gradientOffsets']);

function isIdle(name: SettingName, { calibrated, gradients }: KnownInputs): boolean {
  return name === 'lengthLimit' || (!calibrated && OF_CALIBRATION.has(name)) || (!gradients && OF_GRADIENTS.has(name));
}

function textDeviations(
  name: string,
  expected: ProtocolText | undefined,
  file: string | undefined,
  rows: RowsSettings | undefined,
  hash: string | undefined,
): readonly string[] {
  if (file === undefined) return [];
  const meant = settingsWith(ROWS_SETTINGS, expected?.rows ?? {});
  const isSame = expected !== undefined && isText(expected, file, hash);
  const differs = JSON.stringify(saidOfRows(rows)) !== JSON.stringify(saidOfRows(meant));
  return [
    ...(isSame ? [] : [`${name} ${file.split(/[\\/]/).at(-1)!}`]),
    ...(differs ? [`${name} ${rowsText(rows) ?? 'as its file has it'}`] : []),
  ];
}

/**
 * Texts that protocols name, as files that people have of them, by what the protocol calls them: sha-256 of the files of wikitext-2-raw-v1.zip,
 * and of a test text whose rows are joined by a line feed.
 */
const KNOWN_FILES: Readonly<Record<string, readonly string[]>> = {
  'WikiText-2, test': [
    '173c87a53759e0201f33e0ccf978e510c2042d7f2cb78229d9a50d79b9e7dd08',
    'aca2f46735043bcfd0a44eca981d04627b9cdf74c4c9a04bf0856d04066f58fc',
  ],
  'WikiText-2, train': ['6707892fa3788b5ab9ed78ab5ff37d9fe825f6011a2ad4fcd6a6d467f0e7da57'],
};

/** Whether a file is the text that a protocol means: by its place on the hub, or by its content. */
function isText({ from, what }: ProtocolText, file: string, hash: string | undefined): boolean {
  if (from !== undefined && (file === from || isHubFile(from, file))) return true;
  return hash !== undefined && KNOWN_FILES[what]?.includes(hash) === true;
}

/** Whether a path in the hub's cache is a file that a reference names, at whatever commit. */
function isHubFile(reference: string, path: string): boolean {
  const named = parseHubText(reference);
  const found = hubNameOf(path);
  if (!('reference' in named)) return false;
  const { id, part } = named.reference;
  if (found?.kind !== 'dataset' || found.id !== id) return false;
  if ('file' in part) return found.file === part.file;
  return found.file.startsWith(`${part.config === undefined ? '' : `${part.config}/`}${part.split}-`);
}
