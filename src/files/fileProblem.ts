/** What stood in the way of reading a file. */
export type FileProblemKind =
  | 'missing'
  | 'folder'
  /** A pipe, a socket or a device: reading it could wait for ever, or never end. */
  | 'special'
  /** A link where none is followed. */
  | 'link'
  /** A file of the kernel that says it is empty and is not: nobody knows how long it is. */
  | 'no-size'
  | 'too-large'
  | 'encoding'
  /** It was written to, or another was put in its place, while it was read. */
  | 'changed'
  /** What the file system says: permissions, a disk that fails. */
  | 'unreadable';

/** Why a file could not be read, in words that fit behind "got". Whoever asked wraps it in an error with a code and a remedy. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';
  readonly kind: FileProblemKind;

  constructor(kind: FileProblemKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }

  get missing(): boolean {
    return this.kind === 'missing';
  }
}

/** Whatever was thrown while a file was read, as a {@link FileProblem}. */
export function fileProblem(thrown: unknown): FileProblem {
  if (thrown instanceof FileProblem) return thrown;
  switch ((thrown as NodeJS.ErrnoException | undefined)?.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new FileProblem('missing', 'no such file', { cause: thrown });
    case 'EISDIR':
      return new FileProblem('folder', 'a folder', { cause: thrown });
    case 'ELOOP':
      return new FileProblem('link', 'a link', { cause: thrown });
    // Somebody put a socket, or a pipe without a writer, in its place.
    case 'ENXIO':
      return new FileProblem('special', 'a pipe or a device', { cause: thrown });
    case 'EACCES':
    case 'EPERM':
      return new FileProblem('unreadable', 'a file that may not be read', { cause: thrown });
    case undefined:
    default:
      return new FileProblem('unreadable', reasonOf(thrown), { cause: thrown });
  }
}

export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
