/** What may be read and not changed, however deep. Types that a schema gives are made with it: what was checked stays as it was checked. */
export type Immutable<T> = T extends (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T;
