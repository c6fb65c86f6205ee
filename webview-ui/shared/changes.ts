/** Remembers what something was made of: as long as that is the same, it need not be made again. */
export class Changes {
  private before: readonly unknown[] | undefined;

  /** Whether anything is another thing than at the last call, or was never asked about. */
  any(...now: readonly unknown[]): boolean {
    const { before } = this;
    this.before = now;
    return before?.length !== now.length || now.some((each, i) => !Object.is(each, before[i]));
  }
}
