import { Ajv2020 as Ajv, type ErrorObject } from "ajv/dist/2020.js";
import type { TSchema } from "typebox";
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
const compiled = new WeakMap<object, ReturnType<typeof ajv.compile>>();
const timesChecked = new WeakMap<object, number>();
/** Compiling every key there is takes a quarter of a second; this many files are checked sooner by the keys that they have. */
const FEW = 3;

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

function validatorFor(schema: TSchema, value: unknown): ReturnType<typeof ajv.compile> {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const times = (timesChecked.get(schema) ?? 0) + 1;
  timesChecked.set(schema, times);
  if (times <= FEW) return ajv.compile(forKeysOf(value, schema) as TSchema);
  const validate = ajv.compile(schema);
  compiled.set(schema, validate);
  return validate;
}

/** A schema as far as it can say anything of a value: keys that the value does not have may be anything. */
function forKeysOf(value: unknown, schema: unknown): unknown {
  const { properties } = (schema ?? {}) as { properties?: Record<string, { default?: unknown }> };
  if (properties === undefined || typeof value !== "object" || value === null) return schema;
  const pruned: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(properties)) {
    if (Object.hasOwn(value, key)) pruned[key] = forKeysOf((value as Record<string, unknown>)[key], member);
    else pruned[key] = member.default === undefined ? {} : member;
  }
  return { ...(schema as object), properties: pruned };
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
  const wrong = String(error.params.additionalProperty);
  const near = known.map((key) => ({ key, distance: distance(key.toLowerCase(), wrong.toLowerCase()) }));
  near.sort((a, b) => a.distance - b.distance);
  const best = near[0];
  if (best !== undefined && best.distance <= Math.max(2, wrong.length / 3)) return `; did you mean ${best.key}?`;
  return known.length === 0 ? "" : `; known are ${known.join(", ")}`;
}

/** Levenshtein, on keys of a few characters. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
