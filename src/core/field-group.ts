/** Groups that each name is in, a bit each. */
const groupsByName = new Map<string, number>();
const MAX_GROUPS = 30;
let count = 0;
/** A list has looked: it would not see the fields of a group that came later. */
let isSealed = false;

/**
 * Names of fields that are asked about together, and for each request. A header list looks once which groups its fields are
 * in; after that, whether it has any of a group is one comparison of bits. Made when a module is loaded that every gateway
 * loads: once a list has looked, it is too late.
 */
export class FieldGroup {
  readonly bit: number;
  private readonly names: ReadonlySet<string>;

  /** @param names lower case @throws RangeError there is no place for it any more */
  constructor(...names: readonly string[]) {
    if (isSealed) throw new RangeError("a group of fields is made when its module is loaded, before any list is asked");
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
const groupsOf = (name: string): number => groupsByName.get(name) ?? 0;

/** @param names lower case, so many of them @returns the bits of all groups that one of them is in */
export function groupsOfAll(names: readonly string[], size: number): number {
  isSealed = true;
  let groups = 0;
  for (let i = 0; i < size; i++) groups |= groupsOf(names[i] as string);
  return groups;
}
