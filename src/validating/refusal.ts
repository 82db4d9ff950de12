import { GatewayError } from "../core/errors.ts";
import type { Violations } from "./schema/check.ts";

/** A body that cannot be read at all has a code of its own: the sender's serialiser is at fault, not its data. */
export function toRefusal(violations: Violations): GatewayError {
  const { list, isCapped } = violations;
  const first = list[0];
  const extensions = isCapped ? { violations: list, violationsCapped: true } : { violations: list };
  if (list.length === 1 && first?.location === "body" && (first.keyword === "parse" || first.keyword === "encoding")) {
    return new GatewayError("BODY_MALFORMED", `the body ${first.message}`, { extensions });
  }
  const detail = isCapped
    ? `the request differs from the API description in more than ${list.length} ways; the first ${list.length} are listed`
    : "the request differs from the API description";
  return new GatewayError("REQUEST_INVALID", detail, { extensions });
}
