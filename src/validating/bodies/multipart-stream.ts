import { type Readable, Transform } from "node:stream";
import type { ParsedMediaType } from "../../core/media-type.ts";
import { toRefusal } from "../refusal.ts";
import { Violations } from "../schema/check.ts";
import type { BodyPlan } from "./body-plan.ts";

/**
 * A long body in parts, checked while it flows to the service, so that a file of any size takes no memory. Its last piece
 * is held until all of it is known to be right: the service never sees the end of a body that is not.
 * @param onFound told what is wrong, once; true breaks the body off
 */
export function checkWhilePassing(
  body: Readable,
  plan: BodyPlan,
  type: ParsedMediaType,
  onFound: (violations: Violations) => boolean,
): Readable {
  const violations = new Violations();
  const parts = plan.openParts(type, violations);
  let last: Buffer | undefined;
  let isOver = false;
  /** @returns why the body ends here */
  const conclude = (): Error | null => {
    isOver = true;
    return !violations.isEmpty && onFound(violations) ? toRefusal(violations) : null;
  };
  const guard = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const before = last;
      last = chunk;
      let error: Error | null = null;
      if (!isOver) {
        parts.write(chunk);
        // What is wrong already stays so; what the schema says of the whole comes at the end.
        if (parts.failure !== undefined) plan.checkParts(parts, violations);
        if (!violations.isEmpty) error = conclude();
      }
      done(error, before);
    },
    flush(done) {
      let error: Error | null = null;
      if (!isOver) {
        parts.end();
        plan.checkParts(parts, violations);
        error = conclude();
      }
      done(error, last);
    },
  });
  body.once("error", (error) => guard.destroy(error));
  guard.once("close", () => body.unpipe(guard));
  return body.pipe(guard);
}
