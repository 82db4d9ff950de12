import type { HeaderList } from "../../core/headers.ts";
import type { Violations } from "../schema/check.ts";
import type { ParameterPlan } from "./plan.ts";

/** Checks one header field of a request, a response or a part. */
export function checkHeader(plan: ParameterPlan, headers: HeaderList, violations: Violations): void {
  const value = headers.getJoined(plan.lowerName);
  if (value !== undefined) plan.checkValue(value, violations);
  else if (plan.parameter.required) plan.reportMissing(violations);
}
