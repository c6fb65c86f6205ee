import { EspalierError } from '../../base/errors.ts';

const INPUTS = {
  model: { what: 'a checkpoint', example: 'model: "path/to/checkpoint"' },
  evaluate: { what: 'a text to evaluate on', example: 'evaluate: "path/to/text"' },
  calibrate: { what: 'a text to calibrate on', example: 'calibrate: "path/to/text"' },
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
      operation: `preparing the ${kind === 'experiment' ? 'evaluation of' : 'search'} \`${name}\``,
      expected: what,
      actual: 'none, in the file or in the settings',
      remedy: `Write \`defaults { ${example} }\` into the file, or ${kind === 'experiment' ? 'an' : 'a'} ${kind} that says it.`,
    });
    this.property = property;
  }
}
