import { EspalierError } from '../../base/errors.ts';
import { nearestName } from '../../metric/nearest.ts';
import type { Declaration } from '../check/document.ts';

/** Why something of a file cannot be planned. */

const INPUTS = {
  model: { what: 'a checkpoint', example: 'model: "path/to/checkpoint"' },
  evaluate: { what: 'a text to evaluate on', example: 'evaluate: "path/to/text"' },
  calibrate: { what: 'a text to calibrate on', example: 'calibrate: "path/to/text"' },
  train: { what: 'a text to train on', example: 'train: "path/to/text"' },
  tasks: { what: 'tasks to choose candidates by', example: 'tasks: seven' },
  at: { what: 'a share of the weights', example: 'at: 50%' },
} as const;

export type PlannedInput = keyof typeof INPUTS;

/** Something that a plan takes is said nowhere: neither in the file nor by what is laid over or under it. */
export class MissingInput extends EspalierError {
  readonly property: PlannedInput;

  /** @param kind of the declaration that would say it */
  constructor(kind: 'experiment' | 'search', name: string, property: PlannedInput) {
    const { what, example } = INPUTS[property];
    super({
      code: 'settings/invalid',
      operation: preparing(kind, name),
      expected: what,
      actual: 'none, in the file or in the settings',
      remedy: `Write \`defaults { ${example} }\` into the file, or ${kind === 'experiment' ? 'an' : 'a'} ${kind} that says it.`,
    });
    this.property = property;
  }
}

/** What is laid over a file makes no sense for one of the things that are pruned with. */
export class UnfitOverlay extends EspalierError {
  readonly property: 'at' | 'allocation' | 'update';
  readonly label: string;

  /** @param label of what is pruned with */
  constructor(
    property: 'at' | 'allocation' | 'update',
    label: string,
    actual: string,
    words: keyof typeof UNFIT = property,
  ) {
    const [what, remedy] = UNFIT[words];
    const operation = `preparing the evaluation of \`${label}\``;
    super({ code: 'settings/invalid', operation, expected: `${what} for \`${label}\``, actual, remedy });
    this.property = property;
    this.label = label;
  }
}

const UNFIT = {
  at: [
    'a share of the weights',
    'N:M is a pattern of single weights: say 30%, or evaluate the two one after the other.',
  ],
  budget: [
    'a share of the weights',
    'Zeros in the place of single weights make nothing faster or smaller: say a percentage, or remove whole components with --structure.',
  ],
  allocation: ['rates that are fit', 'Choose others, or none.'],
  update: [
    'an update that fits',
    'sparsegpt and admm follow a metric of single weights, reconstruct follows what removes whole components.',
  ],
} as const;

/** What is declared under this name, or what it uses, has errors of its own. */
export function brokenDeclaration(
  planned: 'experiment' | 'search',
  name: string,
  { kind, name: at }: Declaration,
): EspalierError {
  return new EspalierError({
    code: 'language/errors',
    operation: preparing(planned, name),
    expected: `${kind === 'defaults' ? '`defaults`' : `the ${kind} \`${at}\``} without errors`,
    actual: 'errors in it, or in what it uses',
    remedy: 'Mend what is underlined and try again.',
  });
}

const EXAMPLES = {
  search: 'search evolved { model: … evaluate: … calibrate: … }',
  metric: 'metric wanda = W * sqrt(X)',
  'metric or experiment': 'metric wanda = W * sqrt(X)',
} as const;

/** @param name undefined where any would do @param names those that there are */
export function noDeclaration(
  kind: keyof typeof EXAMPLES,
  name: string | undefined,
  names: readonly string[],
): EspalierError {
  const near = name === undefined ? undefined : nearestName(name, names);
  const check = name === undefined ? '' : 'Check the name. ';
  const declare = names.length > 0 ? '' : `Declare one: \`${EXAMPLES[kind]}\`.`;
  return new EspalierError({
    code: 'language/no-such-declaration',
    operation: name === undefined ? `looking for a ${kind}` : `looking for the ${kind} \`${name}\``,
    expected: names.length === 0 ? `a ${kind}` : `one of ${names.slice(0, 20).join(', ')}`,
    actual: name === undefined ? 'a file without one' : `no ${kind} of that name`,
    remedy: near === undefined ? `${check}${declare}`.trim() : `Did you mean \`${near}\`?`,
  });
}

function preparing(planned: 'experiment' | 'search', name: string): string {
  return `preparing the ${planned === 'experiment' ? 'evaluation of' : 'search'} \`${name}\``;
}
