import { Type } from "../../src/plugin.ts";

const Fields = Type.Array(Type.String({ minLength: 1 }), { minItems: 1 });

export const JsonChanges = Type.Object(
  {
    unwrap: Type.Optional(Type.String({ description: "The member that becomes the whole, as data or result.items." })),
    pick: Type.Optional({
      ...Fields,
      description: "Only these members stay, as id or owner.name; * stands for every item or member.",
    }),
    drop: Type.Optional({ ...Fields, description: "These members go." }),
    rename: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: "Member to its new name in the same object, as owner.fullName: name.",
      }),
    ),
    wrap: Type.Optional(Type.String({ minLength: 1, description: "The whole becomes this member of a new object." })),
  },
  { additionalProperties: false },
);
export type JsonChanges = Type.Static<typeof JsonChanges>;

type Path = readonly string[];
type Change = (value: unknown) => unknown;

/** Changes to a parsed body in the order unwrap, pick, drop, rename, wrap. A list at the root is changed item by item. */
export function compileJsonChanges(changes: JsonChanges): Change {
  const steps: Change[] = [];
  const { unwrap, pick, drop, rename, wrap } = changes;
  if (unwrap !== undefined) steps.push(compileUnwrap(toPath(unwrap)));
  if (pick !== undefined) {
    const tree = toTree(pick.map(toPath));
    steps.push((value) => onEach(value, (item) => pickFrom(item, tree)));
  }
  for (const path of (drop ?? []).map(toPath)) {
    steps.push(onParents(path, (parent, name) => delete parent[name]));
  }
  for (const [from, to] of Object.entries(rename ?? {})) {
    steps.push(onParents(toPath(from), (parent, name) => renameIn(parent, name, to)));
  }
  if (wrap !== undefined) steps.push((value) => ({ [wrap]: value }));
  return (value) => steps.reduce((changed, step) => step(changed), value);
}

const toPath = (text: string): Path => text.split(".");
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const onEach = (value: unknown, change: Change): unknown => (Array.isArray(value) ? value.map(change) : change(value));

function compileUnwrap(path: Path): Change {
  return (value) => {
    let inner = value;
    for (const name of path) {
      // What does not have the member is not what it was meant for: an error document, say.
      if (!isObject(inner) || !Object.hasOwn(inner, name)) return value;
      inner = inner[name];
    }
    return inner;
  };
}

/** Member names to pick, as a tree; an empty one picks the whole member. */
type Tree = Map<string, Tree>;
function toTree(paths: readonly Path[]): Tree {
  const root: Tree = new Map();
  for (const path of paths) {
    let node = root;
    for (const name of path) {
      const child: Tree = node.get(name) ?? new Map();
      node.set(name, child);
      node = child;
    }
  }
  return root;
}

function pickFrom(value: unknown, tree: Tree): unknown {
  if (tree.size === 0 || !isObject(value)) return value;
  const every = tree.get("*");
  if (Array.isArray(value)) return value.map((item) => pickFrom(item, every ?? tree));
  const picked: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    const below = tree.get(name) ?? every;
    if (below !== undefined) picked.push([name, pickFrom(member, below)]);
  }
  return Object.fromEntries(picked);
}

/** Calls back with each object that has the last name of a path, and that name. Lists on the way are walked. */
function onParents(path: Path, change: (parent: Record<string, unknown>, name: string) => void): Change {
  const last = path[path.length - 1] as string;
  const walk = (value: unknown, depth: number): void => {
    if (!isObject(value)) return;
    const name = path[depth] as string;
    if (Array.isArray(value)) {
      for (const item of value) walk(item, name === "*" && depth < path.length - 1 ? depth + 1 : depth);
    } else if (depth === path.length - 1) {
      for (const key of last === "*" ? Object.keys(value) : [last]) if (Object.hasOwn(value, key)) change(value, key);
    } else {
      const members = name === "*" ? Object.values(value) : Object.hasOwn(value, name) ? [value[name]] : [];
      for (const member of members) walk(member, depth + 1);
    }
  };
  return (value) => {
    walk(value, 0);
    return value;
  };
}

/** In its place, so that the order of members stays. */
function renameIn(parent: Record<string, unknown>, from: string, to: string): void {
  const entries = Object.entries(parent).filter(([name]) => name === from || name !== to);
  for (const name of Object.keys(parent)) delete parent[name];
  for (const [name, member] of entries) {
    // Defined, not assigned: a member named __proto__ stays a member.
    Object.defineProperty(parent, name === from ? to : name, {
      value: member,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}
