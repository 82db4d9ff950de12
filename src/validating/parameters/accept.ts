import type { SchemaCheck, Violations } from "../schema/check.ts";
import { noteExact } from "../schema/exact.ts";
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
  if (isValid(value, check)) return;
  for (const reading of OTHER_READINGS) {
    if (isValid(read(reading), check)) return;
  }
  if (value instanceof Malformed)
    violations.add(location, pointer + (value.pointer ?? ""), value.keyword, value.message);
  else check.explain(value, location, pointer, violations);
}

function isValid(value: unknown, check: SchemaCheck): boolean {
  if (value instanceof Malformed) return false;
  noteExact(value);
  return check.isValid(value);
}
