import type { PlannedText } from './corpusRows.ts';
import type { SaidSettings, SettingRow } from './settingRow.ts';

/**
 * What authors evaluated and calibrated on, read from their code: a named set of ordinary settings, each with where it stands. Names and
 * values are those of `SETTINGS`, of `ROWS_SETTINGS` for texts, and of the tables of search methods.
 */
export interface Protocol {
  readonly title: string;
  readonly documentation: string;
  /** What texts are, where they are on the hub, and how they are made of their rows. */
  readonly texts: Readonly<Partial<Record<Exclude<PlannedText, 'test'>, ProtocolText>>>;
  readonly settings: readonly ProtocolSetting[];
  /** Of a search by the method of these authors. */
  readonly search?: readonly ProtocolSetting[];
  /** What magnitude is compared over, where that is something else than for other metrics. */
  readonly magnitude?: { readonly group: 'layer'; readonly source: string };
  /** What of the authors' code no setting says: what a reader has to know who compares numbers. */
  readonly notes: readonly string[];
}

export interface ProtocolText {
  /** For people: "C4, shard 0". */
  readonly what: string;
  /** On the hub, where anybody has it alike; taken where nothing else is said. */
  readonly from?: string;
  readonly rows: SaidSettings;
  readonly source: string;
}

export interface ProtocolSetting {
  readonly name: string;
  readonly value: SettingRow['default'];
  readonly source: string;
}

const WIKITEXT2 = 'hf:Salesforce/wikitext/wikitext-2-raw-v1';
const C4_SHARD = 'hf:allenai/c4/en/c4-train.00000-of-01024.json.gz';

/** Rows joined by two line feeds: what nearly all perplexities of this field are of. */
function wikitextTest(source: string): ProtocolText {
  const rows = { rows: 'wikitext', join: 'blank-line' };
  return { what: 'WikiText-2, test', from: `${WIKITEXT2}:test`, rows, source };
}

/** Rows joined by one space. */
function wikitextTrain(source: string): ProtocolText {
  const rows = { rows: 'wikitext', join: 'space' };
  return { what: 'WikiText-2, train', from: `${WIKITEXT2}:train`, rows, source };
}

function c4Train(source: string): ProtocolText {
  return { what: 'C4, shard 0 of the training split', from: C4_SHARD, rows: {}, source };
}

const WANDA_DATA = 'Wanda, lib/data.py';

/** Files of its code. */
const WANDA_SOURCES = { main: 'main.py', data: 'lib/data.py', prune: 'lib/prune.py, prune_wanda' };

/** Of Wanda's code, which SparseGPT's stands behind and Pruner-Zero's repeats. @param limit tokens of a block, at most */
function wandaSettings(limit: number, seqlen: string, sources = WANDA_SOURCES): readonly ProtocolSetting[] {
  return [
    { name: 'length', value: 0, source: seqlen },
    { name: 'lengthLimit', value: limit, source: seqlen },
    { name: 'samples', value: 128, source: `${sources.main}, --nsamples` },
    { name: 'calibrationLength', value: 0, source: seqlen },
    { name: 'offsets', value: 'documents', source: `${sources.data}, get_c4` },
    { name: 'seed', value: 0, source: `${sources.main}, --seed` },
    { name: 'group', value: 'row', source: 'Wanda, lib/prune.py, prune_wanda' },
    { name: 'calibrate', value: 'sequential', source: sources.prune },
  ];
}

const WHOLE_MATRIX = 'lib/prune.py, prune_magnitude: one threshold for the whole matrix';
const HALF =
  'The authors compute in float16 on a GPU, here in float32 unless `precision` says otherwise: the second digit behind the point can differ.';

const MODEL_SEQLEN = 'main.py, get_llm: seqlen = max_position_embeddings';

/** Every protocol there is. A new one is a row here, with the authors' code at hand. */
export const PROTOCOLS = {
  wanda: {
    title: 'Wanda',
    documentation: 'Sun et al. 2024 (arXiv 2306.11695): WikiText-2 at the model’s own length, calibrated on C4.',
    texts: { text: wikitextTest(`${WANDA_DATA}, get_wikitext2`), calibration: c4Train(`${WANDA_DATA}, get_c4`) },
    settings: wandaSettings(0, MODEL_SEQLEN),
    magnitude: { group: 'layer', source: WHOLE_MATRIX },
    notes: [HALF, 'Lengths: 2048 for LLaMA, 4096 for LLaMA-2 (dense 5.12; at 2048 it has 5.47).'],
  },
  sparsegpt: {
    title: 'SparseGPT',
    documentation: 'Frantar & Alistarh 2023 (arXiv 2301.00774): WikiText-2 at 2048 tokens, calibrated on C4.',
    texts: {
      text: wikitextTest('datautils.py, get_wikitext2'),
      calibration: c4Train('datautils.py, get_c4'),
    },
    settings: wandaSettings(2048, 'llama.py, opt.py: seqlen = 2048, or max_position_embeddings', {
      main: 'llama.py, opt.py',
      data: 'datautils.py',
      prune: 'llama.py, opt.py: llama_sequential, opt_sequential',
    }),
    magnitude: { group: 'layer', source: 'llama.py, opt.py, --gmp: one threshold for the whole matrix' },
    notes: [
      HALF,
      'SparseGPT’s own masks and updates of weights are no metric: the protocol says what they were compared on.',
    ],
  },
  'pruner-zero': {
    title: 'Pruner-Zero',
    documentation:
      'Dong et al. 2024 (arXiv 2406.02924): as Wanda, and gradients of WikiText-2’s training text, times 100, their squares summed.',
    texts: {
      text: wikitextTest('lib/data.py, get_wikitext2'),
      calibration: c4Train('lib/data.py, get_c4'),
      gradients: wikitextTrain('lib/gradient_computation.py, get_wikitext2'),
    },
    settings: [
      ...wandaSettings(0, MODEL_SEQLEN),
      {
        name: 'gradientSamples',
        value: 128,
        source: 'scripts/grad_computation.sh, --nsamples (the code’s default is 2)',
      },
      { name: 'gradientLength', value: 2048, source: 'lib/gradient_computation.py, get_llm: seqlen = 2048' },
      { name: 'gradientOffsets', value: 'python', source: 'lib/gradient_computation.py, get_wikitext2' },
    ],
    magnitude: { group: 'layer', source: WHOLE_MATRIX },
    notes: [HALF, 'The authors keep G in float16: where it is small there, weights tie that do not tie here.'],
  },
  flap: {
    title: 'FLAP',
    documentation: 'An et al. 2024 (arXiv 2312.11983): WikiText-2 in blocks of 128, calibrated on its training text.',
    texts: {
      text: wikitextTest('lib/data.py, get_wikitext2'),
      calibration: wikitextTrain('lib/prune.py, prune_flap: get_loaders("wikitext2", …)'),
    },
    settings: [
      { name: 'length', value: 128, source: 'main.py, get_llm: seqlen = 128' },
      { name: 'samples', value: 1024, source: 'scripts/llama_7b.sh, --nsamples (the code’s default is 2048)' },
      { name: 'calibrationLength', value: 128, source: 'lib/prune.py, prune_flap' },
      { name: 'offsets', value: 'python', source: 'lib/data.py, get_wikitext2' },
      { name: 'seed', value: 0, source: 'main.py, --seed' },
    ],
    notes: [
      HALF,
      'It calibrates on text of the kind that it is evaluated on: compare with methods that do so too.',
      'The paper quotes blocks of 2048 as well: `length: 2048` gives those.',
    ],
  },
  'llm-pruner': {
    title: 'LLM-Pruner',
    documentation: 'Ma et al. 2023 (arXiv 2305.11627): WikiText-2 and PTB in blocks of 128, ten samples of BookCorpus.',
    texts: {
      text: wikitextTest('LLMPruner/datasets/ppl_dataset.py, process_data'),
      calibration: {
        what: 'BookCorpus (name a copy of your own: the hub has it in several files)',
        rows: {},
        source: 'LLMPruner/datasets/example_samples.py, get_bookcorpus',
      },
    },
    settings: [
      { name: 'length', value: 128, source: 'hf_prune.py, --max_seq_len' },
      { name: 'samples', value: 10, source: 'hf_prune.py, get_examples' },
      { name: 'calibrationLength', value: 64, source: 'hf_prune.py, get_examples: seq_len = 64 (the paper says 128)' },
      { name: 'offsets', value: 'documents-once', source: 'LLMPruner/datasets/example_samples.py, get_bookcorpus' },
      { name: 'seed', value: 42, source: 'hf_prune.py, --seed' },
    ],
    notes: [
      HALF,
      'PTB is evaluated by naming it: its validation split, sentences joined by two line feeds.',
      'The authors leave the first three and the last block whole, and count a loss’s second order where `taylor` here has the first.',
    ],
  },
  'self-pruner': {
    title: 'Self-Pruner',
    documentation:
      'A language model searches layer-wise rates: WikiText-2 at the model’s own length, Wanda-sp’s calibration.',
    texts: {
      text: wikitextTest('the paper’s dense perplexities: 5.12 for LLaMA-2-7B is that of 4096 tokens'),
      calibration: c4Train('FLAP, lib/prune.py, prune_wanda_sp: get_loaders("c4", …)'),
    },
    settings: [
      { name: 'length', value: 0, source: 'the paper’s dense perplexities' },
      { name: 'lengthLimit', value: 0, source: 'the paper’s dense perplexities' },
      { name: 'samples', value: 128, source: 'FLAP, lib/prune.py, prune_wanda_sp' },
      { name: 'calibrationLength', value: 128, source: 'FLAP, main.py, get_llm: seqlen = 128' },
      { name: 'offsets', value: 'documents', source: 'FLAP, lib/data.py, get_c4' },
      { name: 'seed', value: 0, source: 'FLAP, main.py, --seed' },
    ],
    notes: ['No code was ever published: what the paper leaves open is taken from Wanda-sp’s, which it prunes with.'],
  },
  'policy-gradient': {
    title: 'policy-gradient structural pruning',
    documentation:
      'Gao et al. 2024 (arXiv 2406.10576): WikiText-2 in blocks of 128; sequences of C4 for scores and steps.',
    texts: {
      text: wikitextTest('prune_channel/datautils/wikitext.py'),
      calibration: {
        ...c4Train('prune_channel/datautils/c4.py'),
        rows: { first: 40_000 },
      },
    },
    settings: [
      { name: 'length', value: 128, source: 'scripts/llama2_7b.sh: --test-seqlen is 128' },
      { name: 'samples', value: 128, source: 'scripts/llama2_7b.sh, --nsamples' },
      { name: 'calibrationLength', value: 1024, source: 'scripts/llama2_7b.sh, --init-seqlen' },
      {
        name: 'offsets',
        value: 'random',
        source: 'prune_channel/datautils/c4.py: anywhere in the documents behind each other',
      },
      { name: 'seed', value: 42, source: 'prune_channel/main.py, --seed' },
    ],
    search: [
      { name: 'steps', value: 15_000, source: 'scripts/llama2_7b.sh: 120 000 sequences in batches of 8' },
      { name: 'batch', value: 8, source: 'scripts/llama2_7b.sh, --train-batch-size' },
      { name: 'tokens', value: 128, source: 'scripts/llama2_7b.sh, --max-seq-length' },
      { name: 'masks', value: 2, source: 'scripts/llama2_7b.sh, --K' },
      { name: 'rate', value: 0.002, source: 'scripts/llama2_7b.sh, --attn-score-lr, --mlp-score-lr (LLaMA-3: 0.006)' },
      { name: 'decay', value: 'cosine', source: 'prune_channel/main.py, --lr-policy' },
      { name: 'window', value: 5, source: 'scripts/llama2_7b.sh, --ma-window-size' },
      { name: 'centre', value: 'authors', source: 'prune_channel/pgpruning.py, inplace_update_scores_by_pg_grad' },
      { name: 'budget', value: 'at-most', source: 'prune_channel/pgpruning.py, solve_v_total: never below 0' },
      { name: 'initial', value: 'metric', source: 'prune_channel/init.py, wanda_sp_init' },
      { name: 'map', value: 'authors', source: 'prune_channel/utils.py, sigmap' },
      { name: 'result', value: 'last', source: 'prune_channel/main.py: the model is pruned behind the last step' },
      { name: 'seed', value: 42, source: 'prune_channel/main.py, --seed' },
    ],
    notes: [
      HALF,
      'The authors cut all of the shard into sequences and shuffle them with NumPy’s generator; here they are drawn anywhere in its first 40 000 documents.',
      'Their initial scores come from blocks that are pruned one after the other, ours from the dense model.',
      'The paper itself compares with the steps before alone, meets the budget exactly and keeps what did best: without the protocol a search does that.',
    ],
  },
} as const satisfies Readonly<Record<string, Protocol>>;

export type ProtocolName = keyof typeof PROTOCOLS;
export const PROTOCOL_NAMES = Object.keys(PROTOCOLS) as readonly ProtocolName[];

export function protocolOf(name: ProtocolName): Protocol {
  return PROTOCOLS[name];
}

/** The settings of a protocol by name, to be laid under what is said. */
export function protocolSettings(name: ProtocolName | undefined, of: 'settings' | 'search' = 'settings'): SaidSettings {
  const rows = name === undefined ? [] : (protocolOf(name)[of] ?? []);
  return Object.fromEntries(rows.map((row) => [row.name, row.value]));
}
