import { type Apply, applyInPlace, type Evaluation, MANY, type Scope, Seen, under } from "./evaluation.ts";
import { isObject, type SchemaObject } from "./keywords.ts";
import { findMatcher, type Matcher } from "./pattern.ts";

const matchers = new WeakMap<object, [string, Matcher][]>();
function patternsOf(schema: SchemaObject): [string, Matcher][] {
  const patterns = schema.patternProperties;
  if (!isObject(patterns)) return [];
  let known = matchers.get(patterns);
  if (known === undefined) {
    known = [];
    for (const source of Object.keys(patterns)) {
      const matcher = findMatcher(source);
      if (matcher !== undefined) known.push([source, matcher]);
    }
    matchers.set(patterns, known);
  }
  return known;
}

export const dependentSchemas: Apply = (evaluator, schema, value, pointer, scope, seen) => {
  if (!isObject(value)) return true;
  let isValid = true;
  const dependents = schema.dependentSchemas as SchemaObject;
  for (const name of Object.keys(dependents)) {
    if (!Object.hasOwn(value, name)) continue;
    if (!applyInPlace(evaluator, dependents[name], value, pointer, scope, seen)) isValid = false;
  }
  return isValid;
};

export const required: Apply = (evaluator, schema, value, pointer) => {
  if (!isObject(value)) return true;
  let isValid = true;
  for (const name of schema.required as string[]) {
    if (!Object.hasOwn(value, name)) isValid = evaluator.report(under(pointer, name), "required", "is required");
  }
  return isValid;
};

export const dependentRequired: Apply = (evaluator, schema, value, pointer) => {
  if (!isObject(value)) return true;
  let isValid = true;
  for (const [name, needed] of Object.entries(schema.dependentRequired as Record<string, string[]>)) {
    if (!Object.hasOwn(value, name)) continue;
    for (const other of needed) {
      if (Object.hasOwn(value, other)) continue;
      isValid = evaluator.report(under(pointer, other), "dependentRequired", `is required together with ${name}`);
    }
  }
  return isValid;
};

export const properties: Apply = (evaluator, schema, value, pointer, scope, seen) => {
  if (!isObject(value)) return true;
  let isValid = true;
  const known = schema.properties as SchemaObject;
  for (const name of Object.keys(known)) {
    if (!isValid && evaluator.isFull) return false;
    if (!Object.hasOwn(value, name)) continue;
    seen.addName(name);
    if (!evaluator.apply(known[name], value[name], under(pointer, name), scope, new Seen())) isValid = false;
  }
  return isValid;
};

export const patternProperties: Apply = (evaluator, schema, value, pointer, scope, seen) => {
  if (!isObject(value)) return true;
  let isValid = true;
  for (const [source, matcher] of patternsOf(schema)) {
    const sub = (schema.patternProperties as SchemaObject)[source];
    for (const name of Object.keys(value)) {
      if (!isValid && evaluator.isFull) return false;
      if (!matcher.test(name)) continue;
      seen.addName(name);
      if (!evaluator.apply(sub, value[name], under(pointer, name), scope, new Seen())) isValid = false;
    }
  }
  return isValid;
};

export const additionalProperties: Apply = (evaluator, schema, value, pointer, scope, seen) => {
  if (!isObject(value)) return true;
  const patterns = patternsOf(schema);
  const known = isObject(schema.properties) ? schema.properties : {};
  const isExtra = (name: string): boolean =>
    !Object.hasOwn(known, name) && !patterns.some(([, matcher]) => matcher.test(name));
  return applyToNames(
    evaluator,
    schema.additionalProperties,
    "additionalProperties",
    isExtra,
    value,
    pointer,
    scope,
    seen,
  );
};

export const unevaluatedProperties: Apply = (evaluator, schema, value, pointer, scope, seen) => {
  if (!isObject(value) || seen.allNames) return true;
  const isExtra = (name: string): boolean => !seen.hasName(name);
  const sub = schema.unevaluatedProperties;
  const isValid = applyToNames(evaluator, sub, "unevaluatedProperties", isExtra, value, pointer, scope, seen);
  seen.allNames = true;
  return isValid;
};

function applyToNames(
  evaluator: Evaluation,
  sub: unknown,
  keyword: string,
  isExtra: (name: string) => boolean,
  value: SchemaObject,
  pointer: string,
  scope: Scope,
  seen: Seen,
): boolean {
  let isValid = true;
  const names = Object.keys(value);
  const test = names.length > MANY ? evaluator.findTest("additionalProperties", sub) : undefined;
  for (const name of names) {
    if (!isValid && evaluator.isFull) return false;
    if (!isExtra(name)) continue;
    if (sub === false) isValid = evaluator.report(under(pointer, name), keyword, "is not a known member");
    else {
      seen.addName(name);
      if (test?.(value[name]) === true) continue;
      if (!evaluator.apply(sub, value[name], under(pointer, name), scope, new Seen())) isValid = false;
    }
  }
  return isValid;
}

export const propertyNames: Apply = (evaluator, schema, value, pointer, scope) => {
  if (!isObject(value)) return true;
  let isValid = true;
  for (const name of Object.keys(value)) {
    if (!isValid && evaluator.isFull) return false;
    const { isValid: isNamed, findings } = evaluator.try(schema.propertyNames, name, under(pointer, name), scope, 1);
    if (isNamed) continue;
    const why = findings[0]?.message ?? "is not allowed";
    isValid = evaluator.report(under(pointer, name), "propertyNames", `the name of this member ${why}`);
  }
  return isValid;
};
