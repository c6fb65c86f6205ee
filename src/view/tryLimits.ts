/** What *Try it* may ask: far beyond what a person reads, below what the engine takes. Beside the schema, which no page loads. */
export const MAX_TOKENS = 4096;
export const MAX_TEMPERATURE = 10;
export const MAX_STOPS = 8;
/** In UTF-16 units. */
export const MAX_STOP = 1000;
export const MAX_PROMPT = 1_000_000;
