/** Blocks `begin … end − 1` of the fitness text, in the order in which rungs visit them. Baselines are measured on all blocks as rung 0. */
export interface Rung {
  readonly index: number;
  readonly begin: number;
  readonly end: number;
}
