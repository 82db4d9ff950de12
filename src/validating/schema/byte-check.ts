import { ByteBuilder } from "./byte-builder.ts";
import { EVERYTHING } from "./byte-node.ts";
import { ByteReader } from "./byte-reader.ts";
import type { Direction } from "./evaluation.ts";
import type { SchemaObject } from "./keywords.ts";

/** Says yes to bytes that are strict JSON and valid, without making the value. No means: look again. */
export type ByteCheck = (bytes: Buffer) => boolean;

const SHARED_BYTES = 65_536;

/** For all short bodies in turn: a check never waits, so none begins within another. */
const sharedReader = new ByteReader(SHARED_BYTES);

/**
 * Most bodies are valid, and described by plain schemas: reading those in one pass costs less than parsing them.
 * @param schema cleaned, with all that it refers to inside
 * @returns undefined for schemas of which a scan can tell nothing
 */
export function findByteCheck(schema: SchemaObject | boolean, direction: Direction): ByteCheck | undefined {
  const root = new ByteBuilder(schema, direction).build(schema);
  if (root.takes === 0 && root.unsure === EVERYTHING) return undefined;
  return (bytes) => {
    const { length } = bytes;
    const reader = length > SHARED_BYTES ? new ByteReader(length) : sharedReader;
    reader.load(bytes);
    return root.check(reader) && reader.isAtEnd;
  };
}
