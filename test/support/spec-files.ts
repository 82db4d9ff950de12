import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Schema } from "../../src/core/operation.ts";
import { readDocument } from "../../src/openapi/load.ts";
import { type Spec, toSpec } from "../../src/openapi/operations.ts";

/** Reads the first of these files as a spec, with the others beside it. Texts, or values that are written as JSON. */
export async function specOf(t: TestContext, files: Readonly<Record<string, string | object>>): Promise<Spec> {
  const folder = await mkdtemp(join(tmpdir(), "portico-spec-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  const file = join(folder, Object.keys(files)[0] as string);
  return toSpec((await readDocument(file)).value, file, undefined);
}

/** A document of one operation, `POST /`, whose body has this schema. */
export const documentOf = (schema: object, schemas: object = {}, openapi = "3.1.0"): object => ({
  openapi,
  info: { title: "t", version: "1" },
  paths: { "/": { post: { requestBody: { content: { "application/json": { schema } } }, responses: {} } } },
  components: { schemas },
});

export function bodySchema(spec: Spec, index = 0): Schema {
  return spec.info.bundle(spec.operations[index]?.requestBody?.content[0]?.schema ?? false);
}

/** Whether the body of the spec's first operation may be this, as Ajv reads the bundled schema. */
export function bodyCheck(spec: Spec, index = 0): (value: unknown) => boolean {
  const validate = new Ajv2020({ strict: false, logger: false, formats: { binary: true } }).compile(
    bodySchema(spec, index) as object,
  );
  return (value) => validate(value) === true;
}
