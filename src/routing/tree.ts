import type { Segment } from "./path-template.ts";

export interface Leaf<E> {
  readonly methods: Map<string, E[]>;
  /** A template with `;` of its own says how it is meant to be read. */
  readonly hasSemicolon: boolean;
}
export interface Node<E> {
  readonly literals: Map<string, Node<E>>;
  /** Segments with text around parameters, `{id}.json`: tried before the whole-segment parameter, more text first. */
  readonly partials: { readonly segment: Segment; readonly node: Node<E> }[];
  parameter: Node<E> | undefined;
  leaf: Leaf<E> | undefined;
}

export const createNode = <E>(): Node<E> => ({
  literals: new Map(),
  partials: [],
  parameter: undefined,
  leaf: undefined,
});

/** The leaf of a template, made where there is none. */
export function leafAt<E>(root: Node<E>, segments: readonly Segment[]): Leaf<E> {
  let node = root;
  for (const segment of segments) node = step(node, segment);
  node.leaf ??= { methods: new Map(), hasSemicolon: segments.some(({ text }) => text.includes(";")) };
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
  const known = node.partials.find((partial) => partial.segment.text === segment.text);
  if (known !== undefined) return known.node;
  const partial = { segment, node: createNode<E>() };
  node.partials.push(partial);
  // `report.{kind}.json` before `{name}.json`: the sort is stable, so equals stay in the order of the document.
  node.partials.sort((a, b) => literalLength(b.segment) - literalLength(a.segment));
  return partial.node;
}

const literalLength = (segment: Segment): number => segment.text.length - 2 * segment.names.length;

/** Concrete before templated, from left to right. @param values takes those of the parameters, decoded */
export function findLeaf<E>(
  node: Node<E>,
  segments: readonly string[],
  depth: number,
  values: string[],
): Leaf<E> | undefined {
  if (depth === segments.length) return node.leaf;
  const segment = segments[depth] as string;
  const text = segment.includes("%") ? decodeURIComponent(segment) : segment;
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
