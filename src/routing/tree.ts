import type { Segment } from "./path-template.ts";

export interface Leaf<E> {
  readonly methods: Map<string, E[]>;
  /** A template with `;` of its own says how it is meant to be read. */
  readonly hasSemicolon: boolean;
  /** A segment with several parameters, which a path may fit in more than one way. */
  readonly isSplit: boolean;
}

/** What a request is looked for by, and what the search has passed. */
export interface Search<E> {
  method: string;
  /** See {@link Segment.match}. */
  readonly reading: number;
  /** Leaves that have the path, but not the method. */
  passed: Leaf<E>[];
}
export interface Node<E> {
  readonly literals: Map<string, Node<E>>;
  /** Segments with text around parameters, `{id}.json`: tried before the whole-segment parameter, more text first. */
  readonly partials: { readonly segment: Segment; readonly node: Node<E> }[];
  parameter: Node<E> | undefined;
  /** Segments that go on over slashes, `{+name}`: the last to be tried. */
  readonly rests: { readonly segment: Segment; readonly node: Node<E> }[];
  leaf: Leaf<E> | undefined;
}

export const createNode = <E>(): Node<E> => ({
  literals: new Map(),
  partials: [],
  parameter: undefined,
  rests: [],
  leaf: undefined,
});

/** The leaf of a template, made where there is none. */
export function leafAt<E>(root: Node<E>, segments: readonly Segment[]): Leaf<E> {
  let node = root;
  for (const segment of segments) node = step(node, segment);
  node.leaf ??= {
    methods: new Map(),
    hasSemicolon: segments.some(({ text }) => text.includes(";")),
    isSplit: segments.some(({ names }) => names.length > 1),
  };
  return node.leaf;
}

function step<E>(node: Node<E>, segment: Segment): Node<E> {
  if (segment.kind === "literal") {
    let next = node.literals.get(segment.text);
    if (next === undefined) {
      next = createNode();
      node.literals.set(segment.text, next);
    }
    return next;
  }
  if (segment.kind === "parameter") {
    node.parameter ??= createNode();
    return node.parameter;
  }
  const branches = segment.kind === "rest" ? node.rests : node.partials;
  const known = branches.find((branch) => branch.segment.text === segment.text);
  if (known !== undefined) return known.node;
  const branch = { segment, node: createNode<E>() };
  branches.push(branch);
  // `report.{kind}.json` before `{name}.json`: the sort is stable, so equals stay in the order of the document.
  branches.sort((a, b) => literalLength(b.segment) - literalLength(a.segment));
  return branch.node;
}

const literalLength = ({ kind, text, names }: Segment): number =>
  text.length - (kind === "rest" ? 3 : 2) * names.length;

/**
 * Concrete before templated, from left to right, among those that have the method: where a document has `DELETE /{slug}`
 * beside `PUT /jira`, `DELETE /jira` is the former.
 * @param values takes those of the parameters, decoded
 */
export function findLeaf<E>(
  node: Node<E>,
  segments: readonly string[],
  depth: number,
  values: string[],
  search: Search<E>,
): Leaf<E> | undefined {
  if (depth === segments.length) {
    const { leaf } = node;
    if (leaf === undefined || hasMethod(leaf, search.method)) return leaf;
    search.passed.push(leaf);
    return undefined;
  }
  const segment = segments[depth] as string;
  const text = decode(segment);
  const literal = node.literals.get(text);
  const viaLiteral = literal && findLeaf(literal, segments, depth + 1, values, search);
  if (viaLiteral !== undefined) return viaLiteral;
  const kept = values.length;
  for (const partial of node.partials) {
    const found = partial.segment.match(text, search.reading);
    if (found === undefined) continue;
    values.push(...found);
    const leaf = findLeaf(partial.node, segments, depth + 1, values, search);
    if (leaf !== undefined) return leaf;
    values.length = kept;
  }
  // An empty segment is never a parameter: `/pets/` must not reach `/pets/{id}` with an empty id, and `/pets//1` is
  // only what a template says that has it. ATTACKS 21.
  if (segment === "") return undefined;
  if (node.parameter !== undefined) {
    values.push(text);
    const leaf = findLeaf(node.parameter, segments, depth + 1, values, search);
    if (leaf !== undefined) return leaf;
    values.length = kept;
  }
  return node.rests.length === 0 ? undefined : findRest(node, segments, depth, values, search);
}

/** The shortest first, so that text after it in the template is found as soon as it is there. */
function findRest<E>(
  node: Node<E>,
  segments: readonly string[],
  depth: number,
  values: string[],
  search: Search<E>,
): Leaf<E> | undefined {
  const kept = values.length;
  const last = lastOfRest(segments, depth);
  for (const rest of node.rests) {
    // Of what nothing follows, all is taken at once: trying every end would cost the square of the path's length.
    let end = isLast(rest.node) ? segments.length : depth + 1;
    for (let text = segments.slice(depth, end).map(decode).join("/"); end <= last; end++) {
      const found = rest.segment.match(text, search.reading);
      if (found !== undefined) {
        values.push(...found);
        const leaf = findLeaf(rest.node, segments, end, values, search);
        if (leaf !== undefined) return leaf;
        values.length = kept;
      }
      if (end < last) text += `/${decode(segments[end] as string)}`;
    }
  }
  return undefined;
}

/** How far a rest may go: over a slash at the end of the path, but over no empty segment. */
function lastOfRest(segments: readonly string[], depth: number): number {
  const empty = segments.indexOf("", depth);
  return empty < 0 || empty === segments.length - 1 ? segments.length : empty;
}

const hasMethod = <E>({ methods }: Leaf<E>, method: string): boolean =>
  methods.has(method) || (method === "HEAD" && methods.has("GET"));

const isLast = <E>({ literals, partials, parameter, rests }: Node<E>): boolean =>
  literals.size === 0 && partials.length === 0 && parameter === undefined && rests.length === 0;

const decode = (segment: string): string => (segment.includes("%") ? decodeURIComponent(segment) : segment);
