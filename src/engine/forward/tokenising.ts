import { VERSION } from '../../base/version.ts';

/** Set by scripts/build.mjs in the bundles: sha-256, hex, of the sources that make texts of files and tokens of texts. */
declare const TOKENISING_SOURCES: string | undefined;

/** What makes tokens of files: what other sources made is made again. */
export const TOKENISING: string = typeof TOKENISING_SOURCES === 'undefined' ? VERSION : TOKENISING_SOURCES;
