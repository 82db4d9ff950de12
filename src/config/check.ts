import { Ajv2020 as Ajv, type ErrorObject } from "ajv/dist/2020.js";
import type { TSchema } from "typebox";
import { findNearest } from "../core/nearest.ts";
import { isNetwork } from "../discovery/address-policy.ts";
import type { Problem } from "./problem.ts";
import type { ConfigSource, Path } from "./source.ts";

/** The schemas are the program's own: to compile the schema of schemas first is a tenth of a start. */
const TRUSTED = { meta: false, validateSchema: false };
const ajv = new Ajv({
  allErrors: true,
  strict: false,
  useDefaults: true,
  verbose: true,
  discriminator: true,
  ...TRUSTED,
});
ajv.addFormat("network", isNetwork);
/** By schema, and by what remains of it for the keys that a value has. */
const compiled = new WeakMap<object, Map<string, ReturnType<typeof ajv.compile>>>();
/** Files that have the same keys share a check. Beyond this many, all keys there are cost less once than each set of them. */
const MAX_KEY_SETS = 32;

/** Checks a part of a configuration against a schema and fills in defaults. @param at where the part stands in its file */
export function checkOptions(source: ConfigSource, schema: TSchema, value: unknown, at: Path): Problem[] {
  const validate = validatorFor(schema, value);
  if (validate(value)) return [];
  const errors = (validate.errors ?? []).filter((error) => !isEcho(error));
  return errors.map((error) => {
    const path = [...at, ...toPath(value, error.instancePath)];
    const extra = error.keyword === "additionalProperties" ? [String(error.params.additionalProperty)] : [];
    return source.problem([...path, ...extra], describe(error, [...path, ...extra]));
  });
}

/** Compiling every key there is would hold a start, or a reload beside traffic, for a quarter of a second. */
function validatorFor(schema: TSchema, value: unknown): ReturnType<typeof ajv.compile> {
  const known = compiled.get(schema) ?? new Map<string, ReturnType<typeof ajv.compile>>();
  compiled.set(schema, known);
  const whole = known.get("");
  if (whole !== undefined) return whole;
  const pruned = forKeysOf([value], schema) as TSchema;
  const key = known.size < MAX_KEY_SETS ? JSON.stringify(pruned) : "";
  let validate = known.get(key);
  if (validate === undefined) {
    validate = ajv.compile(key === "" ? schema : pruned);
    known.set(key, validate);
  }
  return validate;
}

type Keyed = Record<string, unknown>;
interface KeyedSchema {
  readonly properties?: Readonly<Record<string, { default?: unknown }>>;
  readonly patternProperties?: Readonly<Record<string, unknown>>;
}

/** A schema as far as it can say anything of these values: keys that none of them has may be anything. */
function forKeysOf(values: readonly unknown[], schema: unknown): unknown {
  const { properties, patternProperties } = (schema ?? {}) as KeyedSchema;
  const objects = values.filter((value): value is Keyed => typeof value === "object" && value !== null);
  if (objects.length === 0 || (properties === undefined && patternProperties === undefined)) return schema;
  const pruned: Keyed = {};
  for (const [key, member] of Object.entries(properties ?? {})) {
    const members = objects.filter((object) => Object.hasOwn(object, key)).map((object) => object[key]);
    if (members.length > 0) pruned[key] = forKeysOf(members, member);
    else pruned[key] = member.default === undefined ? {} : member;
  }
  const patterns = Object.entries(patternProperties ?? {}).map(([pattern, member]) => [
    pattern,
    forKeysOf(objects.flatMap(Object.values), member),
  ]);
  return {
    ...(schema as object),
    ...(properties === undefined ? {} : { properties: pruned }),
    ...(patternProperties === undefined ? {} : { patternProperties: Object.fromEntries(patterns) }),
  };
}

/** A union reports each of its branches and then itself: the branches say less than the sentence for the union. */
const isEcho = (error: ErrorObject): boolean =>
  error.schemaPath.includes("/anyOf/") && error.keyword !== "additionalProperties";

function toPath(root: unknown, pointer: string): (string | number)[] {
  let value = root;
  return pointer
    .split("/")
    .slice(1)
    .map((token) => {
      const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
      const step = Array.isArray(value) ? Number(key) : key;
      value = (value as Record<string | number, unknown>)[step];
      return step;
    });
}

function describe(error: ErrorObject, path: Path): string {
  const name = path.join(".") || "the file";
  if (error.keyword === "additionalProperties") return `${name} is not a key${suggestion(error)}`;
  if (error.keyword === "required") return `${name} lacks ${error.params.missingProperty}`;
  const shown = JSON.stringify(error.data)?.slice(0, 80);
  const hint = (error.parentSchema as { description?: string } | undefined)?.description;
  return `${name} is ${shown}; it ${wanted(error)}${hint === undefined ? "" : ` (${hint})`}`;
}

function wanted(error: ErrorObject): string {
  if (error.keyword === "anyOf") {
    const options = (error.schema as { const?: unknown; type?: string }[]).map((s) => s.const ?? s.type ?? "…");
    return `must be one of: ${options.join(", ")}`;
  }
  if (error.keyword === "format") return `must be a ${error.params.format}`;
  return error.message ?? "is not valid";
}

function suggestion(error: ErrorObject): string {
  const known = Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {});
  const meant = findNearest(String(error.params.additionalProperty), known);
  if (meant !== undefined) return `; did you mean ${meant}?`;
  return known.length === 0 ? "" : `; known are ${known.join(", ")}`;
}
