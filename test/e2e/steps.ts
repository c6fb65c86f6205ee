import type { Workbench } from './workbench.ts';

/** Counts and prints steps; a step that fails leaves a screenshot and does not stop the others. */
export class Steps {
  passed = 0;
  /** What failed, a line each: story, step and the first line of the error. */
  readonly failures: string[] = [];
  private story = '';
  private pictures = 0;
  private readonly pictureOf: (name: string) => string;

  /** @param pictureOf file for a screenshot of this name */
  constructor(pictureOf: (name: string) => string) {
    this.pictureOf = pictureOf;
  }

  /** The steps that follow belong to this story. */
  begin(story: string): void {
    this.story = story;
    console.log(story);
  }

  async step(workbench: Workbench | undefined, name: string, act: () => Promise<void>): Promise<void> {
    const began = performance.now();
    try {
      await act();
      this.passed++;
      console.log(`  ✓ ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    } catch (error) {
      this.failures.push(`${this.story} / ${name}: ${messageOf(error).split('\n', 1)[0]}`);
      const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
      console.log(`  ✗ ${name}\n    ${told.replaceAll('\n', '\n    ')}`);
      await workbench?.page.screenshot({ path: this.pictureOf(`failed ${name}`) }).catch(() => undefined);
      // What it has left open is not to stand in the way of the next one.
      await workbench?.tidy().catch(() => undefined);
    }
  }

  /** A picture of the window as a person sees it now, numbered in order. */
  async picture(workbench: Workbench, name: string): Promise<void> {
    // Hovers and notifications fade in.
    await new Promise((resolve) => setTimeout(resolve, 400));
    await workbench.page.screenshot({ path: this.pictureOf(`${String(++this.pictures).padStart(2, '0')} ${name}`) });
  }
}

/** Asks until the answer satisfies, and says what it was otherwise. */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  satisfies: (answer: T) => boolean,
  milliseconds = 15_000,
): Promise<T> {
  const end = performance.now() + milliseconds;
  for (;;) {
    const answer = await ask();
    if (satisfies(answer)) return answer;
    if (performance.now() > end)
      throw new Error(`${what}: not within ${milliseconds} ms; last seen: ${JSON.stringify(answer, undefined, 1)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** How often a gesture is tried, and for how long each of its attempts may take to show. */
export interface Patience {
  readonly attempts?: number;
  readonly milliseconds?: number;
}

/**
 * Does something until it shows. A key that is pressed while the focus moves between the workbench and a page inside it is
 * lost, and so is a click on what is being drawn anew; a person does it again, too. Only for what may be done twice.
 * @param act throws where it could not be done
 */
export async function insist(
  what: string,
  act: () => Promise<unknown>,
  shows: () => Promise<boolean>,
  { attempts = 5, milliseconds = 4000 }: Patience = {},
): Promise<void> {
  let acted = false;
  for (let attempt = 1; ; attempt++) {
    try {
      // It may only have been late.
      if (acted && (await shows())) return;
      acted = false;
      await act();
      acted = true;
      await eventually(what, shows, (shown) => shown, milliseconds);
      return;
    } catch (error) {
      const reason = messageOf(error).split('\n', 1)[0]!;
      if (attempt === attempts)
        throw new Error(`${what}: not in ${attempts} attempts; the last one: ${reason}`, { cause: error });
      console.log(`    once more: ${what} (${reason})`);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}
