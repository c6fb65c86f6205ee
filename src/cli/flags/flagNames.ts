import { METRIC_SEARCH_SETTINGS } from '../../search/metrics/settings.ts';

/** What flags are called: `--owl-multiple`, and `owlMultiple` among commander's parsed options. */

export function kebabCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

export function camelCase(flag: string): string {
  return flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** How a setting of the evaluations is called in a search: it has a `seed` of its own, as others may have. */
export function flagInSearch(name: string): string {
  return Object.hasOwn(METRIC_SEARCH_SETTINGS, name) ? `calibration-${name}` : kebabCase(name);
}
