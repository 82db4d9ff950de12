import { createRequire } from "node:module";
import { DRAFT_04 } from "./draft-04.ts";
import type { Json } from "./json.ts";

const load = createRequire(import.meta.url);
/** Those of an edition with vocabularies: the schema, and those that it is made of. */
const PARTED = /^https:\/\/json-schema\.org\/draft\/(2019-09|2020-12)\/(schema|meta\/[a-z-]+)$/;
const WHOLE = /^http:\/\/json-schema\.org\/(draft-0[467])\/schema$/;

/** True of the URIs under which JSON Schema describes itself. */
export const isMetaSchemaUri = (uri: string): boolean => PARTED.test(uri) || WHOLE.test(uri);

/**
 * A schema that describes JSON Schema itself, for documents that take schemas as values: Ajv brings them along, so that
 * a reference to one needs no fetch.
 * @returns a copy of the caller's own; undefined when there is none of that name
 */
export function findMetaSchema(uri: string): Json | undefined {
  const whole = WHOLE.exec(uri)?.[1];
  if (whole === "draft-04") return structuredClone(DRAFT_04);
  if (whole !== undefined) return read(`json-schema-${whole}.json`);
  const parted = PARTED.exec(uri);
  return parted === null ? undefined : read(`json-schema-${parted[1]}/${parted[2]}.json`);
}

function read(name: string): Json | undefined {
  try {
    return structuredClone(load(`ajv/dist/refs/${name}`) as Json);
  } catch {
    return undefined;
  }
}
