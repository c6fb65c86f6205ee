import { withText } from '../../experiment/planInputs.ts';
import path from 'node:path';
import * as vscode from 'vscode';
import { readersSentence } from '../../experiment/readerWords.ts';
import type { ReadersReport, ReaderVerdict } from '../../experiment/readersSchema.ts';
import { DECI_FLAG } from '../../experiment/exportFormats.ts';
import type { ExportFormat, Layout } from '../../experiment/exportFormats.ts';
import type { ExportReport, ExportTarget } from '../../experiment/exportSchema.ts';
import type { GgufWeights } from '../../experiment/ggufTypes.ts';
import { roundedText } from '../../experiment/exportWords.ts';
import { formatBytes, formatChange, formatCount, formatPerplexity } from '../../experiment/format.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { Ask, Listener } from '../../protocol/requests.ts';
import { signalOf } from '../cancellation.ts';
import { progressLine } from '../evaluate/resultText.ts';
import { sparsityText } from '../evaluate/structureText.ts';
import { iconFree, tellInformation, withNotification } from '../messages.ts';
import type { Progress } from '../messages.ts';
import { inputName } from '../../experiment/hubName.ts';

export interface ModelExportParts {
  readonly exportModel: Ask<'exportModel'>;
  /** Who will be able to read what the plan's evaluation prunes. */
  readonly readers: (plan: EvaluationPlan) => Promise<ReadersReport>;
  readonly evaluate: Ask<'evaluate'>;
  readonly tell: (what: string, error: unknown) => void;
}

const FORMATS: Readonly<Record<ExportFormat, { readonly label: string; readonly description: string }>> = {
  huggingface: { label: 'Hugging Face folder', description: 'config.json, tokenizer and safetensors' },
  onnx: { label: 'ONNX model', description: 'For onnxruntime, and transformers.js in web pages' },
  gguf: { label: 'GGUF file', description: 'Weights and tokenizer in one file' },
};

const TYPES: readonly { readonly label: string; readonly detail: string; readonly type?: GgufWeights }[] = [
  { label: 'As the checkpoint has them', detail: 'The type of its embedding' },
  { label: '8 bits (Q8_0)', detail: 'A scale for each 32 weights of a row; half of 16 bits', type: 'q8_0' },
  { label: 'bfloat16', detail: '16 bits, the range of float32', type: 'bf16' },
  { label: 'float16', detail: '16 bits, up to 65504', type: 'f16' },
  { label: 'float32', detail: 'Nothing is rounded', type: 'f32' },
];

/** *Export Pruned Model…*: asks how and where, writes it, and says so once another process has read it back and compared. */
export class ModelExport {
  private readonly parts: ModelExportParts;

  constructor(parts: ModelExportParts) {
    this.parts = parts;
  }

  /**
   * @param plan with the one evaluation that is exported
   * @param root folder that the dialog suggests, absolute
   */
  async run(plan: EvaluationPlan, root: string): Promise<void> {
    const target = await this.ask(plan, root).catch((error: unknown) => {
      this.parts.tell('Exporting failed', error);
    });
    if (!target) return;
    const name = path.basename(target.folder);
    try {
      const report = await withNotification(`Exporting ${name}`, (progress, token) =>
        this.parts.exportModel({ plan, target }, { onProgress: progressInto(progress), signal: signalOf(token) }),
      );
      this.announce(plan, report);
    } catch (error) {
      this.parts.tell(`Exporting ${name} failed`, error);
    }
  }

  private async ask(plan: EvaluationPlan, root: string): Promise<ExportTarget | undefined> {
    const evaluation = plan.evaluations[0]!;
    const items = formatItems(await this.parts.readers(plan));
    const title = `Export ${iconFree(evaluation.metric)} at ${sparsityText(evaluation.sparsity)}`;
    const chosen = await vscode.window.showQuickPick(items, { title, placeHolder: 'How the pruned model is written' });
    if (!chosen) return undefined;
    const weights = chosen.format === 'gguf' ? await askType(title) : {};
    if (!weights) return undefined;
    const share = sparsityText(evaluation.sparsity).replace(' %', '').replace(':', 'of');
    const what = evaluation.metric.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 40) || 'pruned';
    const suggested = `${inputName(plan.model).replace('/', '-')}-${what}-${share}`;
    const folder = await vscode.window.showSaveDialog({
      title: `${title}: a folder that is not there yet, or empty`,
      saveLabel: 'Export',
      defaultUri: vscode.Uri.file(path.join(root, suggested)),
    });
    return (
      folder && {
        folder: folder.fsPath,
        format: chosen.format,
        ...(chosen.layout && { layout: chosen.layout }),
        ...weights,
      }
    );
  }

  private announce(plan: EvaluationPlan, report: ExportReport): void {
    const actions = report.format === 'huggingface' ? ['Reveal', 'Evaluate It'] : ['Reveal'];
    void tellInformation(savedWords(report), ...actions).then((chosen) => {
      if (chosen === 'Reveal') void vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(report.folder));
      if (chosen === 'Evaluate It') void this.evaluate(plan, report);
    });
  }

  /** As any checkpoint, on the text that the export's perplexity is of. */
  private async evaluate(plan: EvaluationPlan, report: ExportReport): Promise<void> {
    const { text, settings } = withText(plan, 'evaluating what was exported');
    const name = path.basename(report.folder);
    try {
      const [result] = await withNotification(`Evaluating ${name}`, (progress, token) =>
        this.parts.evaluate(
          { model: report.folder, text, evaluations: [], settings },
          { onProgress: progressInto(progress), signal: signalOf(token) },
        ),
      );
      if (!result) return;
      const { perplexity, densePerplexity } = report.result;
      const now = formatPerplexity(result.perplexity);
      void tellInformation(
        `${name}: perplexity ${now} as a checkpoint of its own; when it was exported ${formatPerplexity(perplexity)}, dense ${formatPerplexity(densePerplexity)} (${formatChange(result.perplexity, densePerplexity)}).`,
      );
    } catch (error) {
      this.parts.tell(`Evaluating ${name} failed`, error);
    }
  }
}

/** The type of the matrices in a GGUF file. */
async function askType(title: string): Promise<Pick<ExportTarget, 'type'> | undefined> {
  const chosen = await vscode.window.showQuickPick(TYPES, { title, placeHolder: 'The type of the weights' });
  return chosen && (chosen.type === undefined ? {} : { type: chosen.type });
}

/** What the list of formats offers: each with who can read it. */
interface FormatItem extends vscode.QuickPickItem {
  readonly format: ExportFormat;
  readonly layout?: Layout;
}

function formatItems({ verdicts, exact }: ReadersReport): readonly FormatItem[] {
  const guessed = exact ? '' : ' Scores decide the sizes of the blocks.';
  const isOfDeci = ({ with: what }: ReaderVerdict): boolean => what === DECI_FLAG;
  const said = verdicts.filter((verdict) => !isOfDeci(verdict));
  return (Object.keys(FORMATS) as ExportFormat[]).flatMap((format): FormatItem[] => {
    const item = { ...FORMATS[format], format, detail: `${readersSentence(said, format)}${guessed}` };
    return format === 'huggingface' && verdicts.some(isOfDeci) ? [item, DECI] : [item];
  });
}

const DECI: FormatItem = {
  label: 'Hugging Face folder in DeciLM’s layout',
  description: 'block_configs in config.json',
  detail: 'Loads in Espalier, and in transformers and vLLM with modeling_espalier.py (trust_remote_code).',
  format: 'huggingface',
  layout: 'deci',
};

/** What was saved, and how it was compared. */
function savedWords(report: ExportReport): string {
  const { folder, format, bytes, parameters, readers, leftOut, rounded, notes = [], result, verification } = report;
  const { exported, dense } = parameters;
  const fewer =
    exported < dense
      ? `${formatCount(exported)} of ${formatCount(dense)} parameters`
      : `${formatCount(dense)} parameters, zeros in place`;
  const without =
    leftOut.length === 0 ? '' : ` Left out: ${leftOut.join(', ')}, links that lead out of the checkpoint.`;
  const stored = rounded ? ` As stored its perplexity is ${roundedText(rounded, result.perplexity)}.` : '';
  const compared = `read back in another process, logits of ${verification.rows} tokens differ by at most ${verification.difference.toExponential(1)}`;
  return `Saved and compared: ${vscode.workspace.asRelativePath(folder)} (${formatBytes(bytes)}, ${fewer}; ${compared}).${stored} ${readersSentence(readers, format)}${without}${notes.map((note) => ` ${note}`).join('')}`;
}

/** Shows how far something is in a notification. */
export function progressInto(progress: Progress): Listener['onProgress'] {
  let shown = 0;
  return (now) => {
    const share = now.total > 0 ? (100 * now.done) / now.total : 0;
    progress.report({ message: progressLine(now), increment: Math.max(0, share - shown) });
    shown = Math.max(shown, share);
  };
}
