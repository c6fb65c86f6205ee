// What we use of the package, as a bundle of its own (see scripts/build.mjs): it is loaded when a language model is asked and not before.
export { APIConnectionTimeoutError, APIError, OpenAI } from 'openai';
