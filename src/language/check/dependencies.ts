import type { Identifier } from '../syntax/syntax.ts';

/** A definition and the names that it uses. */
export interface Definition {
  readonly name: string;
  readonly names: readonly Identifier[];
}

/** A use that would make a definition depend on itself. */
export interface Cycle<D extends Definition> {
  /** The definition whose use closes the cycle. */
  readonly definition: D;
  readonly use: Identifier;
  /** The names around the cycle, from the used one back to the definition. */
  readonly path: readonly string[];
}

export interface Ordered<D extends Definition> {
  /** Each definition behind all that it uses, cycles aside. */
  readonly order: readonly D[];
  /** One for each definition that closes a cycle. */
  readonly cycles: ReadonlyMap<D, Cycle<D>>;
}

/**
 * Puts definitions into an order in which each can be computed from those before it: a depth-first walk, with a stack of
 * its own, since chains of references can be as long as a file. Time is linear in definitions and uses.
 */
export function orderDefinitions<D extends Definition>(definitions: ReadonlyMap<string, D>): Ordered<D> {
  const order: D[] = [];
  const cycles = new Map<D, Cycle<D>>();
  const state = new Map<D, 'open' | 'done'>();
  for (const root of definitions.values()) {
    if (state.has(root)) continue;
    const path: { definition: D; next: number }[] = [{ definition: root, next: 0 }];
    state.set(root, 'open');
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const { definition } = top;
      const use = definition.names[top.next++];
      if (use === undefined) {
        state.set(definition, 'done');
        order.push(definition);
        path.pop();
        continue;
      }
      const used = definitions.get(use.text);
      if (used === undefined || state.get(used) === 'done') continue;
      if (state.get(used) === 'open') {
        if (!cycles.has(definition)) cycles.set(definition, { definition, use, path: namesFrom(path, used) });
        continue;
      }
      state.set(used, 'open');
      path.push({ definition: used, next: 0 });
    }
  }
  return { order, cycles };
}

function namesFrom<D extends Definition>(path: readonly { readonly definition: D }[], first: D): string[] {
  const start = path.findIndex(({ definition }) => definition === first);
  return path.slice(start).map(({ definition }) => definition.name);
}
