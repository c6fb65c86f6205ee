/** The feed-forward activations by the names of config.json. */
export const ACTIVATIONS: Readonly<Record<string, (x: number) => number>> = {
  silu: (x) => x / (1 + Math.exp(-x)),
  relu: (x) => Math.max(0, x),
};
