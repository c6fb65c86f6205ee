import path from 'node:path';
import { AutoModelForCausalLM, AutoTokenizer, env, type PreTrainedModel, Tensor } from '@huggingface/transformers';

env.allowRemoteModels = false;

type Tokenizer = Awaited<ReturnType<typeof AutoTokenizer.from_pretrained>>;

/** An exported folder in transformers.js. */
export class TransformersJsModel {
  readonly model: PreTrainedModel;
  readonly tokenizer: Tokenizer;

  private constructor(model: PreTrainedModel, tokenizer: Tokenizer) {
    this.model = model;
    this.tokenizer = tokenizer;
  }

  /** @param folder absolute */
  static async open(folder: string): Promise<TransformersJsModel> {
    env.localModelPath = `${path.dirname(folder)}/`;
    const options = { local_files_only: true, session_options: { intraOpNumThreads: 1, logSeverityLevel: 4 } } as const;
    const name = path.basename(folder);
    const model = await AutoModelForCausalLM.from_pretrained(name, options);
    return new TransformersJsModel(model, await AutoTokenizer.from_pretrained(name, options));
  }

  /** Logits [tokens, vocabulary] of one sequence. */
  async logits(ids: Int32Array): Promise<Float32Array> {
    const { logits } = (await this.model({ ...padded([ids]) })) as { readonly logits: Tensor };
    return logits.data as Float32Array;
  }

  /** The likeliest tokens that follow each prompt, all of which go through the model as one batch, padded on the left. */
  async generate(prompts: readonly Int32Array[], tokens: number): Promise<number[][]> {
    const greedy = { max_new_tokens: tokens, do_sample: false, eos_token_id: [] };
    const made = (await this.model.generate({ ...padded(prompts), ...greedy })) as Tensor;
    return (made.tolist() as bigint[][]).map((ids) => ids.slice(-tokens).map(Number));
  }

  async close(): Promise<void> {
    await this.model.dispose();
  }
}

/** What stands before a sequence is a token like any other, so that one that is seen changes what comes out. */
function padded(sequences: readonly Int32Array[]): { readonly input_ids: Tensor; readonly attention_mask: Tensor } {
  const longest = Math.max(...sequences.map(({ length }) => length));
  const rows = (row: (ids: Int32Array, missing: number) => readonly number[]): Tensor =>
    new Tensor('int64', BigInt64Array.from(sequences.flatMap((ids) => row(ids, longest - ids.length)).map(BigInt)), [
      sequences.length,
      longest,
    ]);
  return {
    input_ids: rows((ids, missing) => [...Array<number>(missing).fill(7), ...ids]),
    attention_mask: rows((ids, missing) => [...Array<number>(missing).fill(0), ...Array<number>(ids.length).fill(1)]),
  };
}
