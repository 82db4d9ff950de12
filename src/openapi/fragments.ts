import type { MediaType, Operation, Parameter, RequestBody, ResponseSpec, Schema } from "../core/operation.ts";

/**
 * Some documents list the uses of one operation as `/token` and `/token#refresh`. No request carries a fragment, so such
 * operations are one, which takes what any of them takes; unless parameters tell them apart (`/#Action=Create`).
 */
export function joinFragments(operations: readonly Operation[]): readonly Operation[] {
  if (!operations.some(({ path }) => path.includes("#"))) return operations;
  const joined: Operation[] = [];
  for (const operation of operations) {
    const at = joined.findIndex((other) => isSame(operation, other));
    if (at < 0) joined.push(operation);
    else joined[at] = join(joined[at] as Operation, operation);
  }
  return joined;
}

const withoutFragment = (path: string): string => path.replace(/#.*$/s, "");

/** Not where they are guarded differently: the weaker guard must not open the other. */
function isSame(a: Operation, b: Operation): boolean {
  return (
    a.method === b.method &&
    (a.path.includes("#") || b.path.includes("#")) &&
    withoutFragment(a.publicPath) === withoutFragment(b.publicPath) &&
    JSON.stringify(a.security) === JSON.stringify(b.security) &&
    !isToldApart(a, b)
  );
}

/** By what a required query or header parameter may be. */
function isToldApart(a: Operation, b: Operation): boolean {
  const [ours, theirs] = [choices(a), choices(b)];
  for (const [name, values] of ours) {
    const others = theirs.get(name);
    if (others === undefined || values.every((value) => !others.includes(value))) return true;
  }
  return [...theirs.keys()].some((name) => !ours.has(name));
}

function choices({ parameters, spec }: Operation): Map<string, readonly unknown[]> {
  const found = new Map<string, readonly unknown[]>();
  for (const { in: where, name, required, schema } of parameters) {
    if (!required || (where !== "query" && where !== "header") || schema === undefined) continue;
    const whole = spec.bundle(schema);
    if (typeof whole === "boolean") continue;
    const values = whole.const === undefined ? whole.enum : [whole.const];
    if (Array.isArray(values)) found.set(`${where} ${name}`, values);
  }
  return found;
}

const join = (a: Operation, b: Operation): Operation => ({
  ...a,
  deprecated: a.deprecated && b.deprecated,
  parameters: joinParameters(a.parameters, b.parameters),
  requestBody: joinBodies(a.requestBody, b.requestBody),
  responses: joinResponses(a.responses, b.responses),
});

function joinParameters(ours: readonly Parameter[], theirs: readonly Parameter[]): Parameter[] {
  const keyOf = ({ in: where, name }: Parameter): string => `${where} ${name}`;
  const byKey = new Map(
    ours.map((parameter) => [keyOf(parameter), { ...parameter, required: parameter.in === "path" }]),
  );
  for (const parameter of theirs) {
    const other = ours.find((own) => keyOf(own) === keyOf(parameter));
    const joined = other === undefined ? parameter : { ...other, schema: either(other.schema, parameter.schema) };
    const required = parameter.in === "path" || (other?.required === true && parameter.required);
    byKey.set(keyOf(parameter), { ...joined, required });
  }
  return [...byKey.values()];
}

function joinBodies(a: RequestBody | undefined, b: RequestBody | undefined): RequestBody | undefined {
  if (a === undefined || b === undefined) {
    const only = a ?? b;
    return only && { ...only, required: false };
  }
  return { required: a.required && b.required, content: joinContent(a.content, b.content) };
}

function joinContent(ours: readonly MediaType[], theirs: readonly MediaType[]): MediaType[] {
  const added = theirs.filter(({ type }) => !ours.some((own) => own.type === type));
  const joined = ours.map((own) => {
    const other = theirs.find(({ type }) => type === own.type);
    if (other === undefined) return own;
    return {
      ...own,
      schema: either(own.schema, other.schema),
      itemSchema: either(own.itemSchema, other.itemSchema),
      encoding: { ...other.encoding, ...own.encoding },
    };
  });
  return [...joined, ...added];
}

function joinResponses(
  ours: ReadonlyMap<string, ResponseSpec>,
  theirs: ReadonlyMap<string, ResponseSpec>,
): Map<string, ResponseSpec> {
  const joined = new Map(ours);
  for (const [status, response] of theirs) {
    const own = ours.get(status);
    if (own === undefined) joined.set(status, response);
    else {
      const headers = joinParameters(own.headers, response.headers);
      joined.set(status, { ...own, headers, content: joinContent(own.content, response.content) });
    }
  }
  return joined;
}

/** What either allows; no schema allows everything. */
const either = (a: Schema | undefined, b: Schema | undefined): Schema | undefined =>
  a === undefined || b === undefined ? undefined : a === b ? a : { anyOf: [a, b] };
