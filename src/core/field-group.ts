/** Groups that each name is in, a bit each. */
const groupsByName = new Map<string, number>();
const MAX_GROUPS = 30;
let count = 0;

/**
 * Names of fields that are asked about together, and for each request. A header list looks once which groups its fields are
 * in; after that, whether it has any of a group is one comparison of bits. Made when a module is loaded, before any list.
 */
export class FieldGroup {
  readonly bit: number;
  private readonly names: ReadonlySet<string>;

  /** @param names lower case */
  constructor(...names: readonly string[]) {
    if (count === MAX_GROUPS) throw new RangeError(`there are ${MAX_GROUPS} groups of fields already`);
    this.bit = 1 << count++;
    this.names = new Set(names);
    for (const name of names) groupsByName.set(name, groupsOf(name) | this.bit);
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  [Symbol.iterator](): IterableIterator<string> {
    return this.names.values();
  }
}

/** @param name lower case @returns the bits of the groups it is in */
export const groupsOf = (name: string): number => groupsByName.get(name) ?? 0;
