import type { Finding } from "../violation.ts";
import { type Apply, applyInPlace, type Evaluation, type Scope } from "./evaluation.ts";
import type { Target } from "./resources.ts";

export const reference =
  (keyword: "$ref" | "$dynamicRef"): Apply =>
  (evaluator, schema, value, pointer, scope, seen) => {
    const target = findTarget(evaluator, String(schema[keyword]), scope, keyword === "$dynamicRef");
    if (target === undefined) return true;
    const inner = target.resource === scope.resource ? scope : { resource: target.resource, outer: scope };
    return evaluator.applyOnce(target.schema, value, pointer, inner, seen);
  };

function findTarget(evaluator: Evaluation, reference: string, scope: Scope, isDynamic: boolean): Target | undefined {
  const target = evaluator.resources.resolve(reference, scope.resource);
  if (!isDynamic || target === undefined || typeof target.schema === "boolean") return target;
  const name = reference.slice(reference.indexOf("#") + 1);
  if (!reference.includes("#") || target.schema.$dynamicAnchor !== name) return target;
  let outermost = target;
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
    const schema = at.resource.dynamicAnchors.get(name);
    if (schema !== undefined) outermost = { schema, resource: at.resource };
  }
  return outermost;
}

export const allOf: Apply = (evaluator, schema, value, pointer, scope, seen) => {
  let isValid = true;
  for (const sub of schema.allOf as unknown[]) {
    if (!applyInPlace(evaluator, sub, value, pointer, scope, seen)) isValid = false;
  }
  return isValid;
};

export const anyOf: Apply = (evaluator, schema, value, pointer, scope, seen) => {
  let isValid = false;
  const failures: Finding[][] = [];
  for (const sub of schema.anyOf as unknown[]) {
    const branch = evaluator.try(sub, value, pointer, scope);
    if (branch.isValid) {
      isValid = true;
      seen.add(branch.seen);
    } else failures.push(branch.findings);
  }
  return isValid || reportBranches(evaluator, pointer, "anyOf", failures);
};

export const oneOf: Apply = (evaluator, schema, value, pointer, scope, seen) => {
  let matches = 0;
  const failures: Finding[][] = [];
  for (const sub of schema.oneOf as unknown[]) {
    const branch = evaluator.try(sub, value, pointer, scope);
    if (branch.isValid) {
      matches++;
      seen.add(branch.seen);
    } else failures.push(branch.findings);
  }
  if (matches === 1) return true;
  if (matches === 0) return reportBranches(evaluator, pointer, "oneOf", failures);
  return evaluator.report(pointer, "oneOf", `matches ${matches} of the alternatives; exactly one may match`);
};

/** Of many alternatives, a person wants to read about the one that was meant: the one that came furthest. */
function reportBranches(
  evaluator: Evaluation,
  pointer: string,
  keyword: string,
  failures: readonly Finding[][],
): false {
  const typed = failures.filter((findings) => !findings.some((f) => f.pointer === pointer && f.keyword === "type"));
  const meant = (typed.length > 0 ? typed : failures).reduce<Finding[] | undefined>(
    (best, next) => (best === undefined || next.length < best.length ? next : best),
    undefined,
  );
  evaluator.report(pointer, keyword, `matches none of the ${failures.length} alternatives`);
  return typed.length > 0 && meant !== undefined ? evaluator.repeat(meant) : false;
}

export const not: Apply = (evaluator, schema, value, pointer, scope) =>
  !evaluator.try(schema.not, value, pointer, scope, 1).isValid ||
  evaluator.report(pointer, "not", "must not match the schema under `not`");

export const conditional: Apply = (evaluator, schema, value, pointer, scope, seen) => {
  const condition = evaluator.try(schema.if, value, pointer, scope, 1);
  if (condition.isValid) seen.add(condition.seen);
  return applyInPlace(evaluator, condition.isValid ? schema.then : schema.else, value, pointer, scope, seen);
};
