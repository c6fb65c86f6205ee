import type { Readable, Reader, ReaderVerdict } from './readersSchema.ts';

/** How a verdict begins; a table, so that a new one does not compile without words. */
const WORDS: Readonly<Record<Readable, (verdict: ReaderVerdict) => string>> = {
  loads: ({ why }) => `loads as it is: ${why}`,
  'loads-with': ({ with: what, why }) => `loads with ${what ?? 'more'}: ${why}`,
  'after-rounding': ({ roundFor, why }) => `loads after rounding for ${roundFor ?? 'it'}: ${why}`,
  refuses: ({ why }) => `does not load, because ${why}`,
};

/** `loads with --layout deci: …`: what a person is told of one reader. */
export function verdictText(verdict: ReaderVerdict): string {
  return WORDS[verdict.verdict](verdict);
}

/** How a reader is called from a shell or a program in the folder of what was exported; FOLDER stands for that. */
const COMMANDS: Readonly<Record<Reader, (verdict: ReaderVerdict) => string>> = {
  Espalier: () => 'espalier evaluate --model FOLDER --text FILE',
  transformers: ({ verdict }) =>
    `AutoModelForCausalLM.from_pretrained('FOLDER'${verdict === 'loads-with' ? ', trust_remote_code=True' : ''})`,
  vLLM: ({ verdict }) => `vllm serve FOLDER${verdict === 'loads-with' ? ' --trust-remote-code' : ''}`,
  'llama.cpp': () => 'llama-cli -m FOLDER/model.gguf',
  onnxruntime: () => "InferenceSession.create('FOLDER/onnx/model.onnx')",
  'transformers.js': () => "pipeline('text-generation', 'FOLDER')",
};

export function readerCommand(verdict: ReaderVerdict): string {
  return COMMANDS[verdict.reader](verdict);
}

/** `Loads in Espalier, transformers with modeling_espalier.py. Not in vLLM, because …`: one line for a choice of formats. */
export function readersSentence(verdicts: readonly ReaderVerdict[], format: ReaderVerdict['format']): string {
  const { can, cannot } = splitVerdicts(verdicts, format);
  const names = can.map(({ reader, with: what }) => (what === undefined ? reader : `${reader} with ${what}`));
  const not = cannot.map(({ reader, why, roundFor }) =>
    roundFor === undefined
      ? `Not in ${reader}, because ${why}.`
      : `In ${reader} after rounding (roundFor: ${roundFor}), because ${why}.`,
  );
  return [...(names.length > 0 ? [`Loads in ${names.join(', ')}.`] : []), ...not].join(' ');
}

/** Readers that can open what is written in a format, and those that cannot. */
export function splitVerdicts(
  verdicts: readonly ReaderVerdict[],
  format: ReaderVerdict['format'],
): { readonly can: readonly ReaderVerdict[]; readonly cannot: readonly ReaderVerdict[] } {
  const ofFormat = verdicts.filter((each) => each.format === format);
  const loads = ({ verdict }: ReaderVerdict): boolean => verdict === 'loads' || verdict === 'loads-with';
  return { can: ofFormat.filter(loads), cannot: ofFormat.filter((each) => !loads(each)) };
}
