import type { SchemaCheck, Violations } from "../schema/check.ts";
import type { Violation } from "../violation.ts";
import { FIRST_READING, Malformed, OTHER_READINGS, type Reading } from "./decode.ts";

/** Accepts text when one of its readings is valid; else says what is wrong with the plainest one. */
export function acceptReadings(
  read: (reading: Reading) => unknown,
  check: SchemaCheck,
  location: Violation["location"],
  pointer: string,
  violations: Violations,
): void {
  const value = read(FIRST_READING);
  if (!(value instanceof Malformed) && check.isValid(value)) return;
  for (const reading of OTHER_READINGS) {
    const other = read(reading);
    if (!(other instanceof Malformed) && check.isValid(other)) return;
  }
  if (value instanceof Malformed)
    violations.add(location, pointer + (value.pointer ?? ""), value.keyword, value.message);
  else check.explain(value, location, pointer, violations);
}
