import { isObject, type Json } from "./json.ts";
import type { SpecVersion } from "./version.ts";

/** How a schema is read: what its words mean depends on the edition of JSON Schema that it is written in. */
export interface Dialect {
  /** The keyword by which a schema names itself. */
  readonly id: "$id" | "id";
  /** Whether `#name` as an identifier is an anchor; later editions have `$anchor` for that. */
  readonly hasNamedIds: boolean;
  /** What stands beside a `$ref` is ignored, identifiers too. */
  readonly isReferenceAlone: boolean;
  /** Keywords of other editions, which say nothing in this one. */
  readonly unknown: ReadonlySet<string>;
}

const words = (text: string): string[] => text.split(" ");

const RECURSIVE = words("$recursiveRef $recursiveAnchor");
const NEW_IN_2020_12 = words("prefixItems $dynamicRef $dynamicAnchor");
const NEW_IN_2019_09 = words(
  "$anchor dependentRequired dependentSchemas unevaluatedItems unevaluatedProperties minContains maxContains",
);
const NEW_IN_07 = words("if then else contentMediaType contentEncoding readOnly writeOnly");
const NEW_IN_06 = words("const contains propertyNames examples");

/** Of the vocabulary that asserts (JSON Schema 2020-12 §6); a dialect of somebody's own may do without. */
const VALIDATION = words(
  "type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems " +
    "minItems uniqueItems maxContains minContains maxProperties minProperties required dependentRequired",
);
const VALIDATION_VOCABULARY = /^https:\/\/json-schema\.org\/draft\/20\d\d-\d\d\/vocab\/validation$/;

const modern = { id: "$id", hasNamedIds: false, isReferenceAlone: false } as const;
const classic = { id: "$id", hasNamedIds: true, isReferenceAlone: true } as const;
const unknownIn07 = [...RECURSIVE, ...NEW_IN_2020_12, ...NEW_IN_2019_09];
const unknownIn06 = [...unknownIn07, ...NEW_IN_07];

const DRAFT_2020_12: Dialect = { ...modern, unknown: new Set(RECURSIVE) };
/** Swagger 2.0 and OpenAPI 3.0 have a few words of draft 4; what documents borrow from later editions is taken as meant. */
const OPENAPI_3_0: Dialect = { ...modern, isReferenceAlone: true, unknown: new Set(RECURSIVE) };

const EDITIONS: ReadonlyMap<string, Dialect> = new Map<string, Dialect>([
  ["https://json-schema.org/draft/2020-12/schema", DRAFT_2020_12],
  ["https://json-schema.org/draft/2019-09/schema", { ...modern, unknown: new Set(NEW_IN_2020_12) }],
  ["http://json-schema.org/draft-07/schema", { ...classic, unknown: new Set(unknownIn07) }],
  ["http://json-schema.org/draft-06/schema", { ...classic, unknown: new Set(unknownIn06) }],
  [
    "http://json-schema.org/draft-04/schema",
    { ...classic, id: "id", unknown: new Set([...unknownIn06, ...NEW_IN_06]) },
  ],
]);
/** Dialects that OpenAPI itself has published: 2020-12 with words that assert nothing. */
const OPENAPI_DIALECT = /^https:\/\/spec\.openapis\.org\/oas\/3\.\d+\/dialect\//;

/** The dialects of the schemas of one document and of what it refers to. */
export class Dialects {
  /** Of schemas that do not say. */
  usual: Dialect;
  /** Whether `$schema` says it: no word of Swagger 2.0 and OpenAPI 3.0. */
  readonly hasNames: boolean;
  private readonly readMetaSchema: (uri: string) => unknown;
  private readonly byUri = new Map<string, Dialect>(EDITIONS);
  private readonly unusual = new WeakMap<object, Dialect>();

  /** @param readMetaSchema finds a schema by its name, if the document's folder has it */
  constructor(document: Json, version: SpecVersion, readMetaSchema: (uri: string) => unknown) {
    this.readMetaSchema = readMetaSchema;
    this.hasNames = version !== "2.0" && version !== "3.0";
    this.usual = this.hasNames ? DRAFT_2020_12 : OPENAPI_3_0;
    const { jsonSchemaDialect } = document;
    if (this.hasNames && typeof jsonSchemaDialect === "string") this.usual = this.named(jsonSchemaDialect);
  }

  of(schema: object): Dialect {
    return this.unusual.get(schema) ?? this.usual;
  }

  note(schema: object, dialect: Dialect): void {
    if (dialect !== this.usual) this.unusual.set(schema, dialect);
  }

  /** The dialect that a `$schema` names. One that nobody here knows is read as the usual one. */
  named(name: string): Dialect {
    const uri = name.replace(/#$/, "");
    let dialect = this.byUri.get(uri);
    if (dialect === undefined) {
      // A dialect that describes itself.
      this.byUri.set(uri, this.usual);
      dialect = OPENAPI_DIALECT.test(uri) ? DRAFT_2020_12 : this.described(this.readMetaSchema(uri));
      this.byUri.set(uri, dialect);
    }
    return dialect;
  }

  private described(metaSchema: unknown): Dialect {
    if (!isObject(metaSchema)) return this.usual;
    const { $schema, $vocabulary } = metaSchema;
    const base = typeof $schema === "string" ? this.named($schema) : this.usual;
    if (!isObject($vocabulary) || hasValidation($vocabulary)) return base;
    return { ...base, unknown: new Set([...base.unknown, ...VALIDATION]) };
  }
}

const hasValidation = (vocabulary: Json): boolean =>
  Object.keys(vocabulary).some((uri) => VALIDATION_VOCABULARY.test(uri));
