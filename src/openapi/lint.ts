import { isObject, type Json, toList, toObject, toPointer } from "./json.ts";
import { findHazard } from "./lint-pattern.ts";
import { METHODS, type Spec } from "./operations.ts";

/** Something that is allowed, and probably not meant. */
export interface Finding {
  readonly pointer: string;
  /** What, and the remedy. */
  readonly message: string;
}

/** What a document says that will surprise its author. Pointers are of the root file. */
export function lintSpec(spec: Spec): Finding[] {
  const findings: Finding[] = [];
  const report = (path: readonly string[], message: string): void => {
    findings.push({ pointer: toPointer(path), message });
  };
  const linter = new Linter(spec, report);
  for (const path of Object.keys(toObject(spec.files.root.paths))) if (!path.startsWith("x-")) linter.path(path);
  linter.patterns(spec.files.root, [], false);
  return findings;
}

type Report = (path: readonly string[], message: string) => void;

class Linter {
  private readonly spec: Spec;
  private readonly report: Report;
  private readonly ids = new Set<string>();

  constructor(spec: Spec, report: Report) {
    this.spec = spec;
    this.report = report;
  }

  path(path: string): void {
    const at = ["paths", path];
    if (!path.startsWith("/")) this.report(at, `${path} has no slash before it; it is read as /${path}`);
    if (/[?#]/.test(path)) {
      this.report(at, `${path} has a query or a fragment, which is no part of a path; declare parameters instead`);
    }
    if (
      path
        .replace(/[?#].*$/s, "")
        .split("/")
        .slice(1, -1)
        .includes("") ||
      /(^|\/)\.{1,2}(\/|$)/.test(path)
    ) {
      this.report(at, `${path} cannot be reached: empty and dot segments are refused in requests; write it without`);
    }
    const written = toObject(toObject(this.spec.files.root.paths)[path]);
    const item = { ...this.spec.files.resolve(written), ...written };
    this.parameters(path, at, toList(item.parameters));
    for (const method of METHODS) {
      const operation = item[method];
      if (isObject(operation)) this.operation(path, [...at, method], operation, toList(item.parameters));
    }
  }

  private operation(path: string, at: readonly string[], operation: Json, shared: readonly unknown[]): void {
    const { operationId } = operation;
    if (typeof operationId === "string") {
      if (this.ids.has(operationId)) {
        this.report(
          [...at, "operationId"],
          `operationId ${operationId} is another operation's, too; give each its own`,
        );
      }
      this.ids.add(operationId);
    }
    const sunset = operation["x-sunset"];
    if (sunset !== undefined && Number.isNaN(new Date(String(sunset)).getTime())) {
      this.report([...at, "x-sunset"], `x-sunset is ${JSON.stringify(sunset)}; write a date, e.g. 2027-01-31`);
    }
    this.parameters(path, at, toList(operation.parameters));
    const declared = new Set(
      [...shared, ...toList(operation.parameters)]
        .map((value) => this.spec.files.resolve(value))
        .filter((parameter) => parameter.in === "path")
        .map(({ name }) => String(name)),
    );
    for (const [, name = ""] of path.matchAll(/\{([^{}]*)\}/g)) {
      if (!declared.has(name))
        this.report(at, `{${name}} of the path is not declared as a parameter; any text is taken`);
    }
    this.security(at, operation);
  }

  private parameters(path: string, at: readonly string[], own: readonly unknown[]): void {
    own.forEach((value, i) => {
      const parameter = this.spec.files.resolve(value);
      const { name, in: where } = parameter;
      const place = [...at, "parameters", String(i)];
      const isOld = this.spec.files.version === "2.0";
      if (typeof name !== "string" || typeof where !== "string") {
        this.report(place, "the parameter has no name or no `in`, and is ignored; write both");
      } else if (where === "path" && !path.includes(`{${name}}`)) {
        this.report(place, `the path parameter ${name} is not in ${path}, and is ignored`);
      } else if (!isOld && parameter.schema === undefined && parameter.content === undefined) {
        this.report(place, `the parameter ${name} has no schema: any value is taken; say what it may be`);
      } else if (isOld && where !== "body" && parameter.type === undefined) {
        this.report(place, `the parameter ${name} has no type: any value is taken; say what it may be`);
      }
    });
  }

  private security(at: readonly string[], operation: Json): void {
    for (const requirement of toList(operation.security)) {
      for (const scheme of Object.keys(toObject(requirement))) {
        if (this.spec.securitySchemes.has(scheme)) continue;
        this.report([...at, "security"], `security names ${scheme}, which no security scheme of the document defines`);
      }
    }
  }

  /** Patterns stand anywhere: in schemas of parameters, bodies, headers. */
  patterns(node: unknown, path: string[], isNameMap: boolean): void {
    if (Array.isArray(node)) {
      for (let i = 0; i < node.length; i++) this.step(node[i], path, String(i), false);
      return;
    }
    if (!isObject(node)) return;
    const { pattern } = node;
    if (!isNameMap && typeof pattern === "string") {
      const hazard = findHazard(pattern);
      if (hazard !== undefined) this.report([...path, "pattern"], `pattern ${JSON.stringify(pattern)} ${hazard}`);
    }
    for (const key of Object.keys(node)) {
      if (!isNameMap && DATA.has(key)) continue;
      this.step(node[key], path, key, !isNameMap && key === "properties");
    }
  }

  private step(value: unknown, path: string[], key: string, isNameMap: boolean): void {
    if (typeof value !== "object" || value === null) return;
    path.push(key);
    this.patterns(value, path, isNameMap);
    path.pop();
  }
}

const DATA = new Set(["example", "examples", "default", "const", "enum"]);
