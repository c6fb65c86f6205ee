// The licenses of all packages whose code is in a VSIX, as one text.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Packages that travel as they are, beside the bundles (see package.mjs). */
const UNBUNDLED = ['node_modules/onnxruntime-common', 'node_modules/onnxruntime-node'];

/** Package → text in licenses/, for those that come without one. */
const LICENSES_OF_OTHERS = {
  '@bufbuild/protobuf': '@bufbuild+protobuf.txt',
  'onnxruntime-common': 'onnxruntime.txt',
  'onnxruntime-node': 'onnxruntime.txt',
  'pg-types': 'pg-types.txt',
  pgpass: 'pgpass.txt',
};
const LICENSES = fileURLToPath(new URL('licenses', import.meta.url));
const LICENSE_FILES = /^(licen[cs]e|notice|copying|thirdpartynotices)(\.|$)/i;

/**
 * @param {readonly Pick<import('esbuild').Metafile, 'outputs'>[]} metafiles what esbuild says about the bundles
 * @returns {string[]} folders of the packages that they hold code of, sorted
 */
export function bundledPackages(metafiles) {
  const files = metafiles.flatMap(({ outputs }) => Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs)));
  const folders = files.map((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

/**
 * @param {readonly string[]} bundled folders of packages
 * @param {string} root of the repository
 * @returns {string} name, version and license of each package, with every license text once
 */
export function noticesOf(bundled, root) {
  /** @type {Map<string, string[]>} */
  const packages = new Map();
  for (const folder of [...new Set([...bundled, ...UNBUNDLED])].sort()) {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    const text = licenseOf(name, join(root, folder));
    packages.set(text, [...(packages.get(text) ?? []), `${name} ${version} (${license.replace(/^\(|\)$/g, '')})`]);
  }
  const sections = [...packages].map(([text, names]) => `${'='.repeat(100)}\n${names.join('\n')}\n\n${text}\n`);
  return `Espalier contains software of others, under the licenses below.\n\n${sections.join('\n')}`;
}

/** @throws {Error} for a package that has none, and that {@link LICENSES_OF_OTHERS} has none for */
function licenseOf(name, folder) {
  const files = readdirSync(folder)
    .filter((file) => LICENSE_FILES.test(file))
    .map((file) => join(folder, file));
  if (name in LICENSES_OF_OTHERS) files.push(join(LICENSES, LICENSES_OF_OTHERS[name]));
  const texts = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'));
  if (texts.length === 0) {
    throw new Error(
      `${name} has no license text: put the one that it is under into scripts/licenses, and name it in notices.mjs`,
    );
  }
  return texts.map((text) => text.replaceAll('\r\n', '\n').trim()).join('\n\n');
}
