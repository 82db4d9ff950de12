import { GatewayError } from "../../src/plugin.ts";

/** For a header field: a value cannot end its line and begin another one; what is not ASCII is percent-encoded. */
export const escapeHeader = (value: string): string =>
  value.replace(/[\x00-\x1f\x7f]/g, "").replace(/[^\x20-\x7e]/gu, (character) => encodeURIComponent(character));

/** For one segment of a path: it cannot end its segment, and it cannot climb out of the path that it stands in. */
export function escapeSegment(value: string): string {
  if (value === "." || value === ".." || value === "") {
    throw new GatewayError("PATH_REFUSED", "a value of the request cannot stand in the path of the service");
  }
  return encodeURIComponent(value);
}

export const escapeQuery = (value: string): string => encodeURIComponent(value);
