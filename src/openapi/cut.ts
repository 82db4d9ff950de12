import type { Json } from "./json.ts";

/** Some members of one mapping or list of a document, which are to be added to those that are there. */
export interface Piece {
  /** Keys from the root to the mapping or list. */
  readonly path: readonly string[];
  /** As JSON where JSON can hold them: it is read several times faster than a structured clone. */
  readonly members: string | object;
}

/** What is read in about a millisecond. */
const PIECE_LENGTH = 65_536;
/** What aliases repeat is written out in pieces, up to here. */
const MAX_LENGTH = 67_108_864;

/** Cuts a parsed document into pieces that `join` puts together again, in order. Mappings and lists that are small stay whole. */
export function* cut(document: unknown, pieceLength = PIECE_LENGTH): Generator<Piece> {
  const sizes = new Sizes();
  const root = { document };
  if (sizes.of(root) > MAX_LENGTH) yield { path: [], members: root };
  else yield* cutContainer(root, [], sizes, pieceLength);
}

function* cutContainer(
  container: object,
  path: readonly string[],
  sizes: Sizes,
  pieceLength: number,
): Generator<Piece> {
  const isList = Array.isArray(container);
  const toPiece = (group: readonly [string, unknown][]): Piece => {
    const members = isList ? group.map(([, member]) => member) : fromEntries(group);
    return { path, members: sizes.isJson ? JSON.stringify(members) : members };
  };
  let group: [string, unknown][] = [];
  let length = 0;
  for (const [key, member] of Object.entries(container)) {
    const size = sizes.of(member);
    if (typeof member === "object" && member !== null && size > pieceLength) {
      yield toPiece([...group, [key, Array.isArray(member) ? [] : {}]]);
      yield* cutContainer(member, [...path, key], sizes, pieceLength);
      group = [];
      length = 0;
      continue;
    }
    group.push([key, member]);
    length += size;
    if (length < pieceLength) continue;
    yield toPiece(group);
    group = [];
    length = 0;
  }
  if (group.length > 0) yield toPiece(group);
}

/** About as many characters as a value has in JSON. */
class Sizes {
  /** False when there are values that JSON has not, such as YAML's `.inf`. */
  isJson = true;
  private readonly known = new Map<object, number>();

  of(value: unknown): number {
    if (typeof value === "string") return value.length + 3;
    if (typeof value !== "object" || value === null) {
      const isKnown = value === null || typeof value === "boolean" || Number.isFinite(value);
      if (!isKnown) this.isJson = false;
      return 6;
    }
    const known = this.known.get(value);
    if (known !== undefined) return known;
    let size = 2;
    for (const key in value) size += key.length + 4 + this.of((value as Json)[key]);
    this.known.set(value, size);
    return size;
  }
}

/** Puts pieces together. */
export class Join {
  private readonly root: Json = {};

  add({ path, members }: Piece): void {
    let target: unknown = this.root;
    for (const key of path) target = (target as Json)[key];
    const added = typeof members === "string" ? (JSON.parse(members) as object) : members;
    if (Array.isArray(target)) target.push(...(added as unknown[]));
    else for (const [key, member] of Object.entries(added)) define(target as Json, key, member);
  }

  get document(): unknown {
    return this.root.document;
  }
}

function fromEntries(entries: readonly [string, unknown][]): Json {
  const object: Json = {};
  for (const [key, member] of entries) define(object, key, member);
  return object;
}

/** A key may be `__proto__`: assigned, it would set the prototype instead. ATTACKS 41. */
function define(object: Json, key: string, value: unknown): void {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}
