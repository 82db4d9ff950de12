import type { Operation } from "../core/operation.ts";
import { parseTemplate, type Segment } from "./path-template.ts";

export interface Found<T> {
  readonly kind: "found";
  readonly value: T;
  readonly parameters: Record<string, string>;
}
export type Match<T> =
  | Found<T>
  | { readonly kind: "path-unknown" }
  | { readonly kind: "method-unknown"; readonly allow: readonly string[] };

interface Leaf<T> {
  /** Parameter names in the order of the template, for each method: templates may name them differently. */
  readonly methods: Map<string, { readonly names: readonly string[]; readonly value: T }>;
}
interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  /** Segments with text around parameters, `{id}.json`: tried before the whole-segment parameter. */
  readonly partials: { readonly segment: Segment; readonly node: Node<T> }[];
  parameter: Node<T> | undefined;
  leaf: Leaf<T> | undefined;
}
const createNode = <T>(): Node<T> => ({ literals: new Map(), partials: [], parameter: undefined, leaf: undefined });

/** Operations by host and path: a tree of segments, so a match costs the same with 10 and with 10,000 operations. */
export class Router<T> {
  private readonly hosts = new Map<string, Node<T>>();
  private readonly anyHost = createNode<T>();

  /** @param hosts exact names or `*.example.com`; empty for any */
  add(hosts: readonly string[], operation: Operation, value: T): void {
    for (const root of hosts.length === 0 ? [this.anyHost] : hosts.map((host) => this.hostRoot(host))) {
      const segments = parseTemplate(operation.publicPath);
      let node = root;
      for (const segment of segments) node = step(node, segment);
      node.leaf ??= { methods: new Map() };
      const names = segments.flatMap((segment) => segment.names);
      node.leaf.methods.set(operation.method, { names, value });
    }
  }

  /** @param authority host and port, lower case @param path normalised */
  match(authority: string, method: string, path: string): Match<T> {
    const segments = path.slice(1).split("/");
    for (const root of this.rootsOf(authority)) {
      const values: string[] = [];
      const leaf = findLeaf(root, segments, 0, values);
      if (leaf === undefined) continue;
      const entry = leaf.methods.get(method) ?? (method === "HEAD" ? leaf.methods.get("GET") : undefined);
      if (entry === undefined) return { kind: "method-unknown", allow: allowOf(leaf) };
      const parameters: Record<string, string> = Object.create(null);
      for (let i = 0; i < entry.names.length; i++) parameters[entry.names[i] as string] = values[i] as string;
      return { kind: "found", value: entry.value, parameters };
    }
    return { kind: "path-unknown" };
  }

  private hostRoot(host: string): Node<T> {
    const name = host.toLowerCase();
    let root = this.hosts.get(name);
    if (root === undefined) {
      root = createNode<T>();
      this.hosts.set(name, root);
    }
    return root;
  }

  private rootsOf(authority: string): Node<T>[] {
    if (this.hosts.size === 0) return [this.anyHost];
    const roots: Node<T>[] = [];
    const host = authority.replace(/:\d*$/, "");
    const exact = this.hosts.get(host);
    if (exact !== undefined) roots.push(exact);
    const wild = this.hosts.get(`*${host.slice(Math.max(0, host.indexOf(".")))}`);
    if (wild !== undefined) roots.push(wild);
    roots.push(this.anyHost);
    return roots;
  }
}

function step<T>(node: Node<T>, segment: Segment): Node<T> {
  if (segment.kind === "literal") {
    let next = node.literals.get(segment.text);
    if (next === undefined) {
      next = createNode<T>();
      node.literals.set(segment.text, next);
    }
    return next;
  }
  if (segment.kind === "parameter") {
    node.parameter ??= createNode<T>();
    return node.parameter;
  }
  const known = node.partials.find((partial) => partial.segment.text === segment.text);
  if (known !== undefined) return known.node;
  const partial = { segment, node: createNode<T>() };
  node.partials.push(partial);
  return partial.node;
}

function findLeaf<T>(node: Node<T>, segments: readonly string[], depth: number, values: string[]): Leaf<T> | undefined {
  if (depth === segments.length) return node.leaf;
  const segment = segments[depth] as string;
  const text = decodeSegment(segment);
  const literal = node.literals.get(text);
  const viaLiteral = literal && findLeaf(literal, segments, depth + 1, values);
  if (viaLiteral !== undefined) return viaLiteral;
  const kept = values.length;
  for (const partial of node.partials) {
    const found = partial.segment.match(text);
    if (found === undefined) continue;
    values.push(...found);
    const leaf = findLeaf(partial.node, segments, depth + 1, values);
    if (leaf !== undefined) return leaf;
    values.length = kept;
  }
  // An empty segment is never a parameter: `/pets/` must not reach `/pets/{id}` with an empty id.
  if (node.parameter === undefined || segment === "") return undefined;
  values.push(text);
  const leaf = findLeaf(node.parameter, segments, depth + 1, values);
  if (leaf === undefined) values.length = kept;
  return leaf;
}

const decodeSegment = (segment: string): string => (segment.includes("%") ? decodeURIComponent(segment) : segment);

function allowOf<T>(leaf: Leaf<T>): string[] {
  const methods = new Set(leaf.methods.keys());
  if (methods.has("GET")) methods.add("HEAD");
  methods.add("OPTIONS");
  return [...methods].sort();
}
