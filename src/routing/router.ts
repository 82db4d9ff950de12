import type { Operation } from "../core/operation.ts";
import { parseTemplate } from "./path-template.ts";
import { createNode, findLeaf, type Leaf, leafAt, type Node, type Search } from "./tree.ts";
import { type Asked, compareVariants, findAmbiguity, fits, toVariant, type Variant } from "./variants.ts";

export interface Found<T> {
  readonly kind: "found";
  readonly value: T;
  readonly parameters: Record<string, string>;
}
export type Match<T> =
  | Found<T>
  | { readonly kind: "path-unknown" }
  /** No route serves the host. */
  | { readonly kind: "host-unknown" }
  /** Servers are known to read the path as another one. */
  | { readonly kind: "path-ambiguous"; readonly remedy: string }
  | { readonly kind: "method-unknown"; readonly allow: readonly string[] };

const CUT = {
  kind: "path-ambiguous",
  remedy: "send the path without `;`: cut there, it is another operation's",
} as const;
const MERGED = {
  kind: "path-ambiguous",
  remedy: "send the path without empty segments: many servers read `//` as `/`",
} as const;

/** Of one segment; who writes longer ones into a path than that is answered by the first. */
const MAX_READINGS = 32;

/** Two operations that the same requests would match. */
export interface Conflict {
  readonly operation: Operation;
  readonly with: Operation;
  readonly reason: string;
}

/** What a leaf holds for one method: one operation, or several that their parameters' schemas tell apart. */
export interface Entry<T> {
  readonly operation: Operation;
  /** Parameter names in the order of the template: templates of one shape may name them differently. */
  readonly names: readonly string[];
  readonly value: T;
  /** Only where there are several, where the template has a query, or a segment with several parameters. */
  variant: Variant | undefined;
}

/** Operations by host and path: a tree of segments, so a match costs the same with 10 and with 10,000 operations. */
export class Router<T> {
  private readonly hosts = new Map<string, Node<Entry<T>>>();
  private readonly anyHost: Node<Entry<T>> = createNode();
  private hasAnyHost = false;
  /** No match waits for anything, so one is enough. */
  private readonly search: Search<Entry<T>> = { method: "", reading: 0, passed: [] };

  /**
   * @param hosts exact names or `*.example.com`; empty for any
   * @param base another of the operation's bases than that of its public path
   * @returns what stands in the way: then the operation is not added
   */
  add(hosts: readonly string[], operation: Operation, value: T, base?: string): Conflict | undefined {
    const template = base === undefined ? operation.publicPath : base + operation.path;
    if (hosts.length === 0) this.hasAnyHost = true;
    for (const root of hosts.length === 0 ? [this.anyHost] : hosts.map((host) => this.hostRoot(host))) {
      const segments = parseTemplate(template);
      const leaf = leafAt(root, segments);
      const names = segments.flatMap((segment) => segment.names);
      const entry: Entry<T> = { operation, names, value, variant: undefined };
      const conflict = addEntry(leaf, entry);
      if (conflict !== undefined) return conflict;
    }
    return undefined;
  }

  /**
   * @param authority host and port, lower case @param path normalised
   * @param asked the rest of the request, for templates that only their parameters tell apart
   */
  match(authority: string, method: string, path: string, asked?: Asked): Match<T> {
    const segments = path.slice(1).split("/");
    const { search } = this;
    search.method = method;
    if (search.passed.length > 0) search.passed = [];
    let hasRoot = this.hasAnyHost;
    for (const root of this.rootsOf(authority)) {
      hasRoot = true;
      let values: string[] = [];
      const leaf = findLeaf(root, segments, 0, values, search);
      if (leaf === undefined) continue;
      if (path.includes(";") && isReadDifferently(root, leaf, path, search)) return CUT;
      const entries = entriesOf(leaf, method);
      let entry = findFitting(entries, leaf, values, asked);
      // `51.5.jpg` for `{latitude}.{type}`: of several readings the one that the schemas allow is meant.
      for (let reading = 1; entry === undefined && leaf.isSplit && reading < MAX_READINGS; reading++) {
        const others: string[] = [];
        if (findLeaf(root, segments, 0, others, { ...search, reading }) !== leaf) break;
        entry = findFitting(entries, leaf, others, asked);
        if (entry !== undefined) values = others;
      }
      // When none fits, the widest: what its validation says of the request is the best answer there is.
      entry ??= entries[entries.length - 1] as Entry<T>;
      const parameters: Record<string, string> = Object.create(null);
      for (let i = 0; i < entry.names.length; i++) parameters[entry.names[i] as string] = values[i] as string;
      return { kind: "found", value: entry.value, parameters };
    }
    if (search.passed.length > 0) return { kind: "method-unknown", allow: allowOf(search.passed) };
    if (path.includes("//")) return MERGED;
    return { kind: hasRoot ? "path-unknown" : "host-unknown" };
  }

  private hostRoot(host: string): Node<Entry<T>> {
    const name = host.toLowerCase();
    let root = this.hosts.get(name);
    if (root === undefined) {
      root = createNode();
      this.hosts.set(name, root);
    }
    return root;
  }

  /** The host's own tree, those of its wildcards from the longest on, and the one for any host. */
  private rootsOf(authority: string): Node<Entry<T>>[] {
    if (this.hosts.size === 0) return [this.anyHost];
    const roots: Node<Entry<T>>[] = [];
    const host = authority.replace(/:\d*$/, "").replace(/\.$/, "");
    const exact = this.hosts.get(host);
    if (exact !== undefined) roots.push(exact);
    for (let dot = host.indexOf("."); dot >= 0; dot = host.indexOf(".", dot + 1)) {
      const wild = this.hosts.get(`*${host.slice(dot)}`);
      if (wild !== undefined) roots.push(wild);
    }
    if (this.hasAnyHost) roots.push(this.anyHost);
    return roots;
  }
}

function addEntry<T>(leaf: Leaf<Entry<T>>, entry: Entry<T>): Conflict | undefined {
  const { operation } = entry;
  const known = leaf.methods.get(operation.method);
  const needsVariant = leaf.isSplit || operation.path.includes("?");
  if (known === undefined) {
    if (needsVariant) entry.variant = toVariant(operation, entry.names);
    leaf.methods.set(operation.method, [entry]);
    return undefined;
  }
  entry.variant = toVariant(operation, entry.names);
  for (const other of known) {
    other.variant ??= toVariant(other.operation, other.names);
    const reason = findAmbiguity(entry.variant, other.variant);
    if (reason !== undefined) return { operation, with: other.operation, reason };
  }
  known.push(entry);
  known.sort((a, b) => compareVariants(a.variant as Variant, b.variant as Variant));
  return undefined;
}

const entriesOf = <T>({ methods }: Leaf<Entry<T>>, method: string): readonly Entry<T>[] =>
  methods.get(method) ?? (methods.get("GET") as Entry<T>[]);

function findFitting<T>(
  entries: readonly Entry<T>[],
  leaf: Leaf<Entry<T>>,
  values: readonly string[],
  asked: Asked | undefined,
): Entry<T> | undefined {
  if (entries.length === 1 && !leaf.isSplit) return entries[0];
  return entries.find(({ variant }) => variant !== undefined && fits(variant, values, asked));
}

/**
 * Servers of Java cut what follows a `;` off a segment: `/users/me;x` would match `/users/{id}` here and `/users/me`
 * there, and what guards the one need not guard the other. ATTACKS 21.
 */
function isReadDifferently<T>(
  root: Node<Entry<T>>,
  leaf: Leaf<Entry<T>>,
  path: string,
  search: Search<Entry<T>>,
): boolean {
  if (leaf.hasSemicolon) return false;
  const segments = path
    .replace(/;[^/]*/g, "")
    .slice(1)
    .split("/");
  const passed: Leaf<Entry<T>>[] = [];
  const other = findLeaf(root, segments, 0, [], { ...search, passed });
  return [other, ...passed].some((candidate) => candidate !== undefined && candidate !== leaf);
}

function allowOf<T>(leaves: readonly Leaf<Entry<T>>[]): string[] {
  const methods = new Set(leaves.flatMap((leaf) => [...leaf.methods.keys()]));
  if (methods.has("GET")) methods.add("HEAD");
  methods.add("OPTIONS");
  return [...methods].sort();
}
