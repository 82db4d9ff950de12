import { type Apply, MANY, Seen, under } from "./evaluation.ts";

export const prefixItems: Apply = (evaluator, schema, value, pointer, scope, seen) => {
  if (!Array.isArray(value)) return true;
  let isValid = true;
  const subs = schema.prefixItems as unknown[];
  for (let i = 0; i < subs.length && i < value.length && (isValid || !evaluator.isFull); i++) {
    seen.addIndex(i);
    if (!evaluator.apply(subs[i], value[i], under(pointer, i), scope, new Seen())) isValid = false;
  }
  return isValid;
};

export const items: Apply = (evaluator, schema, value, pointer, scope, seen) => {
  if (!Array.isArray(value)) return true;
  let isValid = true;
  const start = Array.isArray(schema.prefixItems) ? schema.prefixItems.length : 0;
  const test = value.length > MANY ? evaluator.findTest("items", schema.items) : undefined;
  for (let i = start; i < value.length && (isValid || !evaluator.isFull); i++) {
    if (test?.(value[i]) === true) continue;
    if (!evaluator.apply(schema.items, value[i], under(pointer, i), scope, new Seen())) isValid = false;
  }
  seen.allIndexes = true;
  return isValid;
};

export const contains: Apply = (evaluator, schema, value, pointer, scope, seen) => {
  if (!Array.isArray(value)) return true;
  const least = (schema.minContains as number | undefined) ?? 1;
  const most = (schema.maxContains as number | undefined) ?? Number.POSITIVE_INFINITY;
  let count = 0;
  for (let i = 0; i < value.length; i++) {
    if (!evaluator.try(schema.contains, value[i], under(pointer, i), scope, 1).isValid) continue;
    count++;
    seen.addIndex(i);
  }
  if (count < least)
    return evaluator.report(
      pointer,
      "contains",
      `must contain at least ${least} matching item${least === 1 ? "" : "s"}`,
    );
  return count <= most || evaluator.report(pointer, "maxContains", `must contain at most ${most} matching items`);
};

export const unevaluatedItems: Apply = (evaluator, schema, value, pointer, scope, seen) => {
  if (!Array.isArray(value) || seen.allIndexes) return true;
  let isValid = true;
  for (let i = 0; i < value.length && (isValid || !evaluator.isFull); i++) {
    if (seen.hasIndex(i)) continue;
    if (!evaluator.apply(schema.unevaluatedItems, value[i], under(pointer, i), scope, new Seen())) isValid = false;
  }
  seen.allIndexes = true;
  return isValid;
};
