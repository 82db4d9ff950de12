import { dirname, resolve } from "node:path";
import type { RouteConfig } from "../config/load.ts";
import type { Problem } from "../config/problem.ts";
import type { Pace } from "../core/pace.ts";
import { listSpecFiles, readDocument } from "../openapi/load.ts";
import type { PublishedSpec } from "../openapi/merge-documents.ts";
import { readSpec } from "../openapi/operations.ts";
import { ReadableFolders } from "../openapi/readable-folders.ts";
import { SpecError } from "../openapi/spec-error.ts";

/** The specs of a route, and what is wrong with those that are none. @param project folder of `portico.yaml` */
export async function readSpecs(
  route: RouteConfig,
  project: string,
  pace: Pace,
  problems: Problem[],
): Promise<PublishedSpec[]> {
  const specs: PublishedSpec[] = [];
  const complain = (what: string): void => {
    problems.push(route.source.problem(["openapi"], `openapi is "${route.options.openapi}"; ${what}`));
  };
  let files: string[] = [];
  try {
    files = await listSpecFiles(resolve(route.folder, route.options.openapi));
  } catch {
    complain(`there is no such file or folder`);
    return specs;
  }
  if (files.length === 0) complain("the folder holds no file that ends in .yaml, .yml or .json");
  for (const file of files) {
    try {
      const document = await readDocument(file, pace);
      const { references } = route.options;
      const named = references === undefined ? undefined : resolve(route.folder, references);
      const readable = new ReadableFolders(dirname(file), project, named);
      const spec = await pace.do(readSpec(document.value, file, route.options.prefix, readable));
      specs.push({ ...spec, hosts: [route.options.host ?? []].flat() });
    } catch (error) {
      if (!(error instanceof SpecError)) throw error;
      problems.push({ ...error.location, message: error.message });
    }
  }
  return specs;
}
