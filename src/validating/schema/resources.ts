import { forEachSubschema, isObject, type SchemaObject } from "./keywords.ts";

type AnySchema = SchemaObject | boolean;

/** A schema with its own `$id`, and the places in it that have names (JSON Schema 2020-12 §8). */
export interface Resource {
  readonly uri: string;
  readonly root: AnySchema;
  readonly anchors: Map<string, SchemaObject>;
  readonly dynamicAnchors: Map<string, SchemaObject>;
}

export interface Target {
  readonly schema: AnySchema;
  readonly resource: Resource;
}

const ROOT = "portico:/schema";

/** The resources inside one self-contained schema, and what each of its references means. */
export class Resources {
  readonly root: Resource;
  private readonly byUri = new Map<string, Resource>();
  private readonly owner = new Map<SchemaObject, Resource>();
  private readonly resolved = new Map<Resource, Map<string, Target | undefined>>();

  constructor(schema: AnySchema) {
    const uri = isObject(schema) && typeof schema.$id === "string" ? join(ROOT, schema.$id) : ROOT;
    this.root = this.addResource(uri, schema);
    this.byUri.set(ROOT, this.root);
    this.collect(schema, this.root, true);
  }

  /** The resource that a schema belongs to. */
  ownerOf(schema: AnySchema, otherwise: Resource): Resource {
    return typeof schema === "boolean" ? otherwise : (this.owner.get(schema) ?? otherwise);
  }

  /** @returns undefined when nothing is there */
  resolve(reference: string, from: Resource): Target | undefined {
    let known = this.resolved.get(from);
    if (known === undefined) {
      known = new Map();
      this.resolved.set(from, known);
    }
    if (!known.has(reference)) known.set(reference, this.find(reference, from));
    return known.get(reference);
  }

  private find(reference: string, from: Resource): Target | undefined {
    const hash = reference.indexOf("#");
    const uri = hash < 0 ? reference : reference.slice(0, hash);
    const fragment = hash < 0 ? "" : decode(reference.slice(hash + 1));
    const resource = uri === "" ? from : this.byUri.get(join(from.uri, uri));
    if (resource === undefined) return undefined;
    if (fragment === "") return { schema: resource.root, resource };
    if (!fragment.startsWith("/")) {
      const schema = resource.anchors.get(fragment);
      return schema && { schema, resource };
    }
    return this.follow(fragment, resource);
  }

  private follow(pointer: string, resource: Resource): Target | undefined {
    let value: unknown = resource.root;
    let owner = resource;
    for (const token of pointer.split("/").slice(1)) {
      const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
      value = (value as SchemaObject)[key];
      if (isObject(value)) owner = this.owner.get(value) ?? owner;
    }
    if (typeof value !== "boolean" && !isObject(value)) return undefined;
    // A reference may point where no keyword of the dialect leads: what stands there has not been seen yet.
    if (isObject(value) && !this.owner.has(value)) this.collect(value, owner, false);
    return { schema: value, resource: this.ownerOf(value, owner) };
  }

  private addResource(uri: string, root: AnySchema): Resource {
    const resource: Resource = { uri, root, anchors: new Map(), dynamicAnchors: new Map() };
    this.byUri.set(uri, resource);
    return resource;
  }

  private collect(schema: unknown, resource: Resource, isRoot: boolean): void {
    if (!isObject(schema) || this.owner.has(schema)) return;
    let own = resource;
    if (!isRoot && typeof schema.$id === "string" && !schema.$id.startsWith("#")) {
      own = this.addResource(join(resource.uri, schema.$id), schema);
    }
    this.owner.set(schema, own);
    if (typeof schema.$anchor === "string") own.anchors.set(schema.$anchor, schema);
    if (typeof schema.$dynamicAnchor === "string") {
      own.anchors.set(schema.$dynamicAnchor, schema);
      own.dynamicAnchors.set(schema.$dynamicAnchor, schema);
    }
    forEachSubschema(schema, (sub) => this.collect(sub, own, false));
  }
}

function join(base: string, reference: string): string {
  const bare = reference.replace(/#$/, "");
  return URL.canParse(bare, base) ? new URL(bare, base).href : bare;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
