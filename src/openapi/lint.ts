import { METHODS as PARSED_METHODS } from "node:http";
import { REFUSED_METHODS } from "../core/methods.ts";
import { pathNames } from "../core/path-expression.ts";
import { isObject, type Json, toList, toObject } from "./json.ts";
import { lintSchemas } from "./lint-schemas.ts";
import { STYLES } from "./media.ts";
import { METHODS, type Spec, toSchemeName } from "./operations.ts";

/** Something that is allowed, and probably not meant. */
export interface Finding {
  readonly file: string;
  readonly pointer: string;
  /** What, and the remedy. */
  readonly message: string;
}

/** @param node that the finding is about, or whose member at the key it is about */
export type Report = (node: object, key: string | undefined, message: string) => void;

/** What a document says that will surprise its author, in every file that it is made of. */
export function lintSpec(spec: Spec): Finding[] {
  const places = spec.files.places();
  const findings = new Map<string, Finding>();
  const report: Report = (node, key, message) => {
    const { file, pointer } = places.find(node, key);
    // What is shared by reference is met once for each use.
    findings.set(`${file}#${pointer} ${message}`, { file, pointer, message });
  };
  new Linter(spec, report).paths();
  lintSchemas(spec.files, report);
  return [...findings.values()];
}

/** Characters that no path may have, written or percent-encoded. */
const CONTROL = /[\x00-\x1f\x7f\\]|%[01][0-9a-f]|%7f|%5c/i;

class Linter {
  private readonly spec: Spec;
  private readonly report: Report;
  private readonly ids = new Set<string>();
  private readonly isOld: boolean;

  constructor(spec: Spec, report: Report) {
    this.spec = spec;
    this.report = report;
    this.isOld = spec.files.version === "2.0";
  }

  paths(): void {
    const { files, source } = this.spec;
    this.security(source.security, source);
    const paths = files.resolve(files.root.paths);
    for (const [path, written] of Object.entries(paths)) {
      if (path.startsWith("x-") || !isObject(written)) continue;
      this.path(path, paths);
      // What stands beside a reference goes before it.
      const parts = typeof written.$ref === "string" ? [written, files.resolve(written)] : [written];
      const shared =
        parts.map(({ parameters }) => toList(files.open(parameters))).find((list) => list.length > 0) ?? [];
      this.parameters(path, shared);
      for (const item of parts) this.operations(path, item, shared);
    }
  }

  private path(path: string, paths: Json): void {
    if (!path.startsWith("/")) this.report(paths, path, `${path} has no slash before it; it is read as /${path}`);
    if (/[?#]/.test(path)) {
      const message = `${path} has a query or a fragment, which is no part of a path; declare parameters instead`;
      this.report(paths, path, message);
    }
    const plain = path.replace(/[?#].*$/s, "");
    const refused = /(^|\/)\.{1,2}(\/|$)/.test(plain)
      ? "dot segments"
      : CONTROL.test(plain)
        ? "control characters and backslashes"
        : undefined;
    if (plain.includes("//")) {
      this.report(paths, path, `${path} has an empty segment: many servers read \`//\` as \`/\`; write it without`);
    }
    if (refused !== undefined) {
      const message = `${JSON.stringify(path).slice(1, -1)} cannot be reached: ${refused} are refused in requests; write it without`;
      this.report(paths, path, message);
    }
    if (/[{}]/.test(plain.replace(/\{[^{}/]*\}/g, ""))) {
      this.report(paths, path, `${path} has a brace without its other one, which is read as it stands; mend it`);
    }
  }

  private operations(path: string, item: Json, shared: readonly unknown[]): void {
    for (const method of METHODS) {
      if (isObject(item[method])) this.operation(path, method.toUpperCase(), item, method, shared);
    }
    const additional = toObject(item.additionalOperations);
    for (const method of Object.keys(additional)) {
      if (isObject(additional[method])) this.operation(path, method, additional, method, shared);
    }
  }

  private operation(path: string, method: string, holder: Json, key: string, shared: readonly unknown[]): void {
    const { files } = this.spec;
    const written = toObject(holder[key]);
    const operation = typeof written.$ref === "string" ? { ...files.resolve(written), ...written } : written;
    const at = files.resolve(written);
    if (REFUSED_METHODS.has(method)) {
      this.report(holder, key, `${method} ${path} cannot be reached: ${method} is not for a gateway; leave it out`);
    } else if (!PARSED_METHODS.includes(method)) {
      const message = `${method} ${path} cannot be reached: Node ${process.version} does not read ${method} requests`;
      this.report(holder, key, method === "QUERY" ? `${message}; run Node 22 or newer` : message);
    }
    this.identity(operation, at);
    const own = toList(files.open(operation.parameters));
    this.parameters(path, own);
    const all = [...shared, ...own].map((value) => files.resolve(value));
    const declared = new Set(all.filter((parameter) => parameter.in === "path").map(({ name }) => String(name)));
    for (const name of pathNames(path)) {
      if (declared.has(name)) continue;
      this.report(holder, key, `{${name}} of the path is not declared as a parameter; any text is taken`);
    }
    for (const status of Object.keys(files.resolve(operation.responses))) {
      if (/^(?:[1-5](?:\d\d|xx)|default|x-.*)$/i.test(status)) continue;
      this.report(at, "responses", `${status} is no status of an answer; write e.g. 404, 4XX or default`);
    }
    this.security(operation.security, at);
  }

  private identity(operation: Json, at: Json): void {
    const { operationId } = operation;
    if (typeof operationId === "string") {
      if (this.ids.has(operationId)) {
        this.report(at, "operationId", `operationId ${operationId} is another operation's, too; give each its own`);
      }
      this.ids.add(operationId);
    }
    for (const key of ["x-sunset", "x-deprecated-at"]) {
      const date = operation[key];
      if (date === undefined || !Number.isNaN(new Date(String(date)).getTime())) continue;
      this.report(at, key, `${key} is ${JSON.stringify(date)}; write a date, e.g. 2027-01-31`);
    }
  }

  private parameters(path: string, list: readonly unknown[]): void {
    for (const value of list) if (isObject(value)) this.parameter(path, value);
  }

  private parameter(path: string, written: Json): void {
    const parameter = this.spec.files.resolve(written);
    const { name, in: where, style } = parameter;
    const say = (message: string): void => this.report(parameter, undefined, message);
    if (typeof name !== "string" || typeof where !== "string") {
      say("the parameter has no name or no `in`, and is ignored; write both");
      return;
    }
    const styles = STYLES[where];
    if (!this.isOld && styles !== undefined && style !== undefined && !styles.some((known) => known === style)) {
      say(
        `the parameter ${name} has style ${String(style)}, which a ${where} does not have; write ${styles.join(" or ")}`,
      );
    }
    if (where === "path" && !pathNames(path).includes(name)) {
      this.report(written, undefined, `the path parameter ${name} is not in ${path}, and is ignored`);
    } else if (!this.isOld && parameter.schema === undefined && parameter.content === undefined) {
      say(`the parameter ${name} has no schema: any value is taken; say what it may be`);
    } else if (this.isOld && where !== "body" && parameter.type === undefined) {
      say(`the parameter ${name} has no type: any value is taken; say what it may be`);
    }
  }

  private security(requirements: unknown, at: Json): void {
    for (const requirement of toList(requirements)) {
      for (const scheme of Object.keys(toObject(requirement))) {
        if (this.spec.securitySchemes.has(toSchemeName(scheme, this.spec.source.$self))) continue;
        this.report(at, "security", `security names ${scheme}, which no security scheme of the document defines`);
      }
    }
  }
}
