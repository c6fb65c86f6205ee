import type { BlockLayout, Parameter } from '../models/model.ts';

/**
 * A parameter that falls into parts of equal length along one axis, each of which goes with one component of the block: rows of what
 * makes a component's values, columns of what reads them. Query heads of one group stand next to each other, so that a group has one
 * part of the query and output projections, too.
 */
export interface Coupling {
  readonly parameter: Parameter;
  readonly axis: 0 | 1;
  readonly of: 'groups' | 'channels';
}

/** Everything of a block that goes with its groups and channels: weights, and the biases of what makes their values. */
export function couplings({ parameters }: BlockLayout): Coupling[] {
  return parameters.flatMap((parameter) => {
    const biased = parameter.name.endsWith('.bias');
    const found = COUPLED.get(biased ? parameter.name.slice(0, -'.bias'.length) : parameter.name);
    // A bias behind a reader is added once, whatever is read.
    return found && !(biased && found.axis === 1) ? [{ parameter, ...found }] : [];
  });
}

const makes = (of: Coupling['of']): Omit<Coupling, 'parameter'> => ({ axis: 0, of });
const reads = (of: Coupling['of']): Omit<Coupling, 'parameter'> => ({ axis: 1, of });

/** By the names of every family's linear layers. */
const COUPLED: ReadonlyMap<string, Omit<Coupling, 'parameter'>> = new Map([
  ['self_attn.q_proj', makes('groups')],
  ['self_attn.k_proj', makes('groups')],
  ['self_attn.v_proj', makes('groups')],
  ['self_attn.o_proj', reads('groups')],
  ['self_attn.out_proj', reads('groups')],
  ['mlp.gate_proj', makes('channels')],
  ['mlp.up_proj', makes('channels')],
  ['mlp.down_proj', reads('channels')],
  ['fc1', makes('channels')],
  ['fc2', reads('channels')],
]);
