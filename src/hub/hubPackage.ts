// What we use of the package, as a bundle of its own (see scripts/build.mjs): it is loaded when the hub is asked and not before.
export { datasetInfo, listFiles, modelInfo } from '@huggingface/hub';
