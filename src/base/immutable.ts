/**
 * A type of which nothing may be changed, however deep: what a schema infers, as everybody but the schema takes it. What has no fields of its
 * own (texts, branded ones too, numbers, functions) stays as it is.
 */
export type Immutable<T> = unknown extends T
  ? T
  : T extends Whole
    ? T
    : { readonly [Key in keyof T]: Immutable<T[Key]> };

type Whole = string | number | bigint | boolean | symbol | null | undefined | ((...parameters: never[]) => unknown);
