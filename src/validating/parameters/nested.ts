import { type Shape, STRING, toScalar } from "../schema/shape.ts";
import { BAD_ENCODING, type Reading } from "./decode.ts";
import { NOT_DEEP, type Notation, type Pair, REPEATED } from "./styles.ts";

/** Steps into a value that a name may take: `a[b][c]`. A client chooses it. */
const MAX_STEPS = 16;

type Branch = Record<string, unknown>;
/** How many items without an index a list has. */
type Lengths = Map<Branch, number>;

function nextIndex(branch: Branch, lengths: Lengths): string {
  // Counted once, where somebody gave indexes as well.
  const index = lengths.get(branch) ?? Object.keys(branch).length;
  lengths.set(branch, index + 1);
  return String(index);
}

/**
 * An object in style deepObject: `filter[color]=red`. Deeper names and lists (`a[b][c]`, `a[b][]`, `a[b][0]`) are no
 * part of OpenAPI, but servers commonly read them so, and a schema can ask for them.
 * @param pairs names are the part from the first bracket on
 */
export function readDeepObject(pairs: readonly Pair[], shape: Shape, notation: Notation, reading: Reading): unknown {
  const root: Branch = Object.create(null);
  const lengths: Lengths = new Map();
  for (const [brackets, raw] of pairs) {
    const steps = toSteps(brackets, notation, reading);
    if (steps === undefined) return NOT_DEEP;
    const text = notation.decode(raw, reading);
    if (text === undefined) return BAD_ENCODING;
    if (!place(root, steps, text, shape, reading, lengths)) return REPEATED;
  }
  return toLists(root, shape);
}

function toSteps(brackets: string, notation: Notation, reading: Reading): string[] | undefined {
  if (!/^(?:\[[^[\]]*\])+$/.test(brackets)) return undefined;
  const steps: string[] = [];
  for (const step of brackets.slice(1, -1).split("][")) {
    const decoded = notation.decode(step, reading);
    if (decoded === undefined || steps.length >= MAX_STEPS) return undefined;
    steps.push(decoded);
  }
  return steps;
}

/** @returns false when something stands there already */
function place(
  root: Branch,
  steps: readonly string[],
  text: string,
  shape: Shape,
  reading: Reading,
  lengths: Lengths,
): boolean {
  let branch = root;
  let at: Shape | undefined = shape;
  for (let i = 0; i < steps.length; i++) {
    const isList: boolean = at?.isArray === true && !at.isObject;
    const name: string = isList && steps[i] === "" ? nextIndex(branch, lengths) : (steps[i] as string);
    at = isList ? at?.items : at?.member(name);
    if (i < steps.length - 1 || (at?.isArray === true && !at.isScalar)) {
      branch[name] ??= Object.create(null);
      if (typeof branch[name] !== "object") return false;
      branch = branch[name] as Branch;
      continue;
    }
    if (name in branch) return false;
    branch[name] = toScalar(text, at?.types ?? STRING, reading.asText);
    return true;
  }
  const index = nextIndex(branch, lengths);
  if (index in branch) return false;
  branch[index] = toScalar(text, at?.items.types ?? STRING, reading.asText);
  return true;
}

/** Where the schema wants a list, the members 0, 1, 2 … become one. */
function toLists(value: unknown, shape: Shape | undefined): unknown {
  if (typeof value !== "object" || value === null) return value;
  const branch = value as Branch;
  const names = Object.keys(branch);
  if (shape?.isArray === true && names.every((name, i) => name === String(i))) {
    return names.map((name) => toLists(branch[name], shape.items));
  }
  for (const name of names) branch[name] = toLists(branch[name], shape?.member(name));
  return branch;
}
