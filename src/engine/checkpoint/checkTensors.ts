import { ESPALIER_KEY } from './configBlocks.ts';
import { isFloatType, UNQUANTISED } from './elementTypes.ts';
import { foreignTensors } from './foreignTensors.ts';
import { removedLayout } from './removedLayout.ts';
import { familyOf } from '../families/families.ts';
import { type Parameter, storedShape } from '../families/family.ts';
import { EspalierError } from '../../base/errors.ts';
import type { Checkpoint } from './checkpoint.ts';

/** A tensor that a model with this configuration is made of. */
export type ExpectedTensor = Pick<Parameter, 'tensor' | 'shape' | 'transposed'>;

/**
 * Checks before any work that a checkpoint holds exactly what its config.json says: every tensor there, of the right shape
 * and of a float type, and none besides. A tensor that is left over (the bias of a layer that has none by the configuration,
 * a block too many) means that the two do not belong together, and that the numbers would be of another model.
 *
 * @throws EspalierError `checkpoint/tensor`
 */
export function checkTensors(checkpoint: Checkpoint, expected: readonly ExpectedTensor[]): void {
  const wanted = new Set(expected.map(({ tensor }) => tensor));
  const { headTensor, buffers } = familyOf(checkpoint.config);
  try {
    for (const parameter of expected) checkTensor(checkpoint, parameter.tensor, storedShape(parameter));
    for (const [name, { file }] of checkpoint.tensors) {
      if (wanted.has(name) || BUFFERS.test(name) || buffers?.test(name)) continue;
      if (name === headTensor && checkpoint.config.tiedEmbeddings) checkTied(checkpoint);
      else
        throw wrong(
          file,
          name,
          `no ${name} in a ${checkpoint.config.architecture} with this config.json`,
          'one',
          BELONG,
        );
    }
  } catch (error) {
    throw whatTheyAre(checkpoint, wanted) ?? error;
  }
}

/** Tensors that do not fit are mostly those of something well known. */
function whatTheyAre({ tensors, config, folder }: Checkpoint, wanted: ReadonlySet<string>): EspalierError | undefined {
  const plain = `the tensors of a ${config.architecture} with this config.json`;
  const foreign = foreignTensors([...tensors.keys()].filter((name) => !wanted.has(name)));
  if (foreign) {
    const { name, what, remedy } = foreign;
    return wrong(tensors.get(name)!.file, name, plain, what, remedy);
  }
  // With sizes of its blocks something else is wrong.
  const removed = config.blocks ? undefined : removedLayout(tensors, config);
  if (!removed) return undefined;
  const remedy = `If parts of the model were removed by a program that left config.json as it was, say so there: ${JSON.stringify({ [ESPALIER_KEY]: removed.key })} (docs/export.md).`;
  return wrong(folder, 'the sizes of the blocks', plain, removed.what, remedy);
}

/** What old versions of transformers and fairseq saved beside the weights: computed from the configuration, not learned. */
const BUFFERS = /(^|\.)(rotary_emb\.((original_)?inv_freq|(cos|sin)_cached)|masked_bias|version)$/;

function checkTensor({ tensors, config, folder }: Checkpoint, name: string, shape: readonly number[]): void {
  const entry = tensors.get(name);
  const wanted = `${name} of shape [${shape.join(', ')}]`;
  if (!entry) {
    const family = familyOf(config);
    const isUntied =
      (name === family.headTensor || name === family.embedding(config).table.tensor) && !config.tiedEmbeddings;
    throw wrong(folder, name, wanted, 'no tensor of this name', isUntied ? ONE_OF_TWO : BELONG);
  }
  if (entry.shape.join() !== shape.join()) {
    throw wrong(entry.file, name, wanted, `shape [${entry.shape.join(', ')}]`, BELONG);
  }
  if (!isFloatType(entry.dtype)) {
    throw wrong(entry.file, name, 'elements of type BF16, F16, F32 or F64', entry.dtype, UNQUANTISED);
  }
}

/**
 * A head stored beside embeddings that it is tied to: transformers 4 takes the embeddings, 5 the head. They must be equal.
 */
function checkTied(checkpoint: Checkpoint): void {
  const { config, tensors } = checkpoint;
  const family = familyOf(config);
  const { table } = family.embedding(config);
  const name = family.headTensor;
  const head = tensors.get(name)!;
  const different = wrong(
    head.file,
    name,
    'the embeddings once more, as tie_word_embeddings says',
    'another matrix',
    TIED,
  );
  if (head.shape.join() !== table.shape.join() || !isFloatType(head.dtype)) throw different;
  const [rows = 0, width = 0] = table.shape;
  const step = Math.max(1, Math.floor(2 ** 20 / width));
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const ours = checkpoint.readRows(name, [rows, width], row, count);
    const theirs = checkpoint.readRows(table.tensor, [rows, width], row, count);
    if (Buffer.compare(Buffer.from(ours.buffer), Buffer.from(theirs.buffer)) !== 0) throw different;
  }
}

const BELONG = 'Restore config.json and the weights of the checkpoint: one of the two is of another model.';
const ONE_OF_TWO =
  'If the model has one matrix for its embeddings and its head, say so in config.json: "tie_word_embeddings": true. Otherwise download the checkpoint again: a part of it is missing.';
const TIED = 'Set tie_word_embeddings in config.json to what the model was trained with.';

function wrong(file: string, name: string, expected: string, actual: string, remedy: string): EspalierError {
  return new EspalierError({
    code: 'checkpoint/tensor',
    operation: `checking ${name}`,
    expected,
    actual,
    remedy,
    file,
  });
}
