/**
 * A name on the Hugging Face hub, in the place of a path: `hf:owner/name[@revision]` for a model; for a text of a data set
 * `hf:owner/name/config:split[@revision]` or `hf:owner/name/path/to/file[@revision]`.
 */
export type HubReference = HubModel | HubText;

interface HubRepository {
  /** `owner/name`; old ones have a name alone (`gpt2`). */
  readonly id: string;
  /** Branch, tag or commit; what is not said is `main`. */
  readonly revision?: string;
}

export interface HubModel extends HubRepository {
  readonly kind: 'model';
}

export interface HubText extends HubRepository {
  readonly kind: 'dataset';
  readonly part: HubFile | HubSplit;
}

export interface HubFile {
  /** Path in the repository. */
  readonly file: string;
}

export interface HubSplit {
  readonly config?: string;
  readonly split: string;
}

/** What a reference says, or why it says nothing: behind "got" in an error. */
export type ParsedReference<Of extends HubReference> = { readonly reference: Of } | { readonly problem: string };

export const HUB_PREFIX = 'hf:';
export const MODEL_FORM = 'hf:owner/name, or hf:owner/name@revision';
export const TEXT_FORM =
  'hf:owner/name/config:split, or hf:owner/name/path/to/file; @revision behind it where one is meant';

export function isHubReference(text: string): boolean {
  return text.startsWith(HUB_PREFIX);
}

export function parseHubModel(text: string): ParsedReference<HubModel> {
  const parts = partsOf(text);
  if ('problem' in parts) return parts;
  const { names, split, ...revision } = parts;
  if (split !== undefined) return { problem: `a split (:${split}), which data sets have and models do not` };
  if (names.length > 2) return { problem: `${names.length} names, where a model has an owner and a name` };
  return { reference: { kind: 'model', id: names.join('/'), ...revision } };
}

export function parseHubText(text: string): ParsedReference<HubText> {
  const parts = partsOf(text);
  if ('problem' in parts) return parts;
  const { names, split, ...revision } = parts;
  const id = names.slice(0, 2).join('/');
  const rest = names.slice(2).join('/');
  if (split !== undefined) {
    const part = { ...(rest !== '' && { config: rest }), split };
    return { reference: { kind: 'dataset', id, part, ...revision } };
  }
  if (rest === '') return { problem: 'a data set without a split or a file of it' };
  return { reference: { kind: 'dataset', id, part: { file: rest }, ...revision } };
}

export function printReference({ id, revision, ...rest }: HubReference): string {
  const at = revision === undefined ? '' : `@${revision}`;
  return `${HUB_PREFIX}${id}${rest.kind === 'model' ? '' : partText(rest.part)}${at}`;
}

function partText(part: HubFile | HubSplit): string {
  if ('file' in part) return `/${part.file}`;
  return `${part.config === undefined ? '' : `/${part.config}`}:${part.split}`;
}

/** Where a person reads about it and accepts its licence. @param endpoint without a slash at its end */
export function hubPage({ kind, id }: Pick<HubReference, 'kind' | 'id'>, endpoint: string): string {
  return `${endpoint}/${kind === 'dataset' ? 'datasets/' : ''}${id}`;
}

interface Parts {
  readonly names: readonly string[];
  readonly split?: string;
  readonly revision?: string;
}

/** Python's library allows as much for a name; longer paths no file system has. */
const LONGEST_ID = 96;
const LONGEST = 1024;

function partsOf(text: string): Parts | { readonly problem: string } {
  if (!isHubReference(text)) return { problem: `no ${HUB_PREFIX} before it` };
  if (text.length > LONGEST) return { problem: `${text.length} characters` };
  const body = text.slice(HUB_PREFIX.length);
  if (body.startsWith('/')) return { problem: 'a slash behind hf:, where the name begins' };
  const at = body.lastIndexOf('@');
  const revision = at < 0 ? undefined : body.slice(at + 1);
  if (revision !== undefined) {
    const problem = pathProblem(revision, 'revision');
    if (problem !== undefined) return { problem };
  }
  const [path = '', split, ...more] = (at < 0 ? body : body.slice(0, at)).split(':');
  if (more.length > 0) return { problem: 'more than one colon behind hf:' };
  const names = path.split('/');
  const problem =
    names
      .slice(0, 2)
      .map(nameProblem)
      .find((found) => found !== undefined) ??
    (names.slice(0, 2).join('/').length > LONGEST_ID ? `a name of more than ${LONGEST_ID} characters` : undefined) ??
    (names.length > 2 ? pathProblem(names.slice(2).join('/'), 'path') : undefined) ??
    (split === undefined ? undefined : splitProblem(split));
  if (problem !== undefined) return { problem };
  return { names, ...(split !== undefined && { split }), ...(revision !== undefined && { revision }) };
}

/** The rules of the hub for owners and names. */
function nameProblem(name: string): string | undefined {
  if (name === '') return 'an empty name';
  if (!/^[\w.-]+$/.test(name)) return `${quote(name)}, where names have letters, digits, -, _ and .`;
  if (/^[.-]|[.-]$/.test(name)) return `${quote(name)}, where names neither begin nor end with - or .`;
  if (/--|\.\./.test(name)) return `${quote(name)}, where names have no -- and no ..`;
  if (name.endsWith('.git')) return `${quote(name)}, where names do not end in .git`;
  return undefined;
}

/** Of what becomes a path in the cache: nothing in it may lead elsewhere, or be something else on another system. */
function pathProblem(path: string, what: 'path' | 'revision'): string | undefined {
  for (const name of path.split('/')) {
    if (name === '') return `an empty name in the ${what}`;
    if (/^\.+$/.test(name)) return `${quote(name)} in the ${what}`;
    if (UNFIT.test(name)) return `${quote(name)} in the ${what}, which file systems do not take everywhere`;
  }
  return undefined;
}

function splitProblem(split: string): string | undefined {
  return /^\w[\w.-]*$/.test(split) ? undefined : `${quote(split)} in the place of a split, such as train`;
}

/** Windows has no such names, and some of them are places of another kind there. */
const UNFIT = /[\\:*?"<>|~\p{Cc}\p{Cf}\p{Cs}]|[. ]$|^ |^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)|^.{200,}$/iu;

/** Whether a name in a repository can be a file below a folder of ours, on every system. */
export function isSafePath(path: string): boolean {
  return path.length <= LONGEST && pathProblem(path, 'path') === undefined;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
