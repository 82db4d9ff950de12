import { toSpec } from "../../src/openapi/operations.ts";
import { type Conflict, type Match, Router } from "../../src/routing/router.ts";

/** Operations of one made-up document: `"GET /pets/{id}"` to what else the operation says. */
export type Routes = Readonly<Record<string, object>>;

/** A router of these operations, whose values are the words that name them. */
export function routerOf(
  routes: Routes,
  hosts: readonly string[] = [],
  router = new Router<string>(),
): { router: Router<string>; conflicts: Conflict[] } {
  const paths: Record<string, Record<string, object>> = {};
  for (const [words, operation] of Object.entries(routes)) {
    const [method = "", path = ""] = words.split(" ");
    paths[path] ??= {};
    (paths[path] as Record<string, object>)[method.toLowerCase()] = { responses: {}, ...operation };
  }
  const document = { openapi: "3.1.0", info: { title: "t", version: "1" }, paths };
  const conflicts: Conflict[] = [];
  for (const operation of toSpec(document, "made-up.yaml", "").operations) {
    const conflict = router.add(hosts, operation, `${operation.method} ${operation.path}`);
    if (conflict !== undefined) conflicts.push(conflict);
  }
  return { router, conflicts };
}

/** A path parameter with a schema, as an operation has it. */
export const withPathParameter = (name: string, schema: object): object => ({
  parameters: [{ name, in: "path", required: true, schema }],
});

/** `GET /pets/{id} {"id":"1"}`, or the kind of what is no match. */
export function show(match: Match<string>): string {
  return match.kind === "found" ? `${match.value} ${JSON.stringify(match.parameters)}` : match.kind;
}
