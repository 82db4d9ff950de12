import type { MediaType, Operation } from "../../core/operation.ts";
import { Malformed } from "../parameters/decode.ts";
import type { Violations } from "../schema/check.ts";
import type { Shape } from "../schema/shape.ts";
import { toPointer } from "../violation.ts";
import type { Part } from "./multipart.ts";
import { checkPart, NO_PLANS, type PartPlan, partPlan, readPart } from "./multipart-value.ts";

/** The plans of parts that have a place instead of a name (OpenAPI 3.2 §4.14.4): those of the first few, then one for all. */
export interface OrderedPlans {
  readonly prefix: readonly PartPlan[];
  readonly item: PartPlan | undefined;
}

export const orderedPlans = (operation: Operation, media: MediaType): OrderedPlans => ({
  prefix: (media.prefixEncoding ?? []).map((encoding) => partPlan(operation, "", encoding)),
  item: media.itemEncoding && partPlan(operation, "", media.itemEncoding),
});

/** The parts of `multipart/mixed` and the like as a list, each read by its media type; what `encoding` asks is checked. */
export function readInOrder(
  parts: readonly Part[],
  shape: Shape,
  { prefix, item }: OrderedPlans,
  violations: Violations,
): unknown[] {
  return parts.map((part, index) => {
    const plan = prefix[index] ?? item;
    if (plan !== undefined) checkPart(part, toPointer(index), plan, violations);
    const plans = plan === undefined ? NO_PLANS : { byName: new Map([["", plan]]), exploded: NO_PLANS.exploded };
    const value = readPart({ ...part, name: "" }, shape, plans);
    return value instanceof Malformed ? new Malformed(value.keyword, value.message) : value;
  });
}
