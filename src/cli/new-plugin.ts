import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

/** `portico new-plugin NAME`: writes a plugin that works, and its test. Never over a file that is there. */
export async function newPlugin(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { folder: { type: "string", default: "plugins" } },
  });
  const [name] = positionals;
  if (name === undefined || !/^[a-z][a-z0-9-]*$/.test(name)) {
    process.stderr.write("portico new-plugin NAME: write a name of lower-case letters, digits and hyphens\n");
    return 2;
  }
  await mkdir(values.folder, { recursive: true });
  for (const [file, text] of [
    [`${name}.ts`, pluginSource(name)],
    [`${name}.test.ts`, testSource(name)],
  ] as const) {
    const path = join(values.folder, file);
    try {
      await writeFile(path, text, { flag: "wx" });
    } catch (error) {
      process.stderr.write(`${path} is not written: ${(error as NodeJS.ErrnoException).code}\n`);
      return 1;
    }
    process.stdout.write(`wrote ${path}\n`);
  }
  process.stdout.write(
    `use it: plugins: [{ ${name}: { header: x-example } }]\ntest it: node --import tsx --test ${join(values.folder, `${name}.test.ts`)}\n`,
  );
  return 0;
}

const functionName = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

const pluginSource = (name: string): string => `import { definePlugin, GatewayError, Type } from "portico/plugin";

/** Refuses requests that lack a header. */
export default definePlugin({
  name: "${name}",
  phase: "authorize",
  options: Type.Object({
    header: Type.String({ minLength: 1, description: "The request header that must be there." }),
  }),
  setup({ options }) {
    const header = options.header.toLowerCase();
    return async function ${functionName(name)}(exchange, next) {
      if (!exchange.request.headers.has(header)) throw new GatewayError("FORBIDDEN", \`send \${options.header}\`);
      const response = await next(exchange);
      response.headers.set("X-Checked-By", "${name}");
      return response;
    };
  },
});
`;

const testSource = (name: string): string => `import assert from "node:assert/strict";
import { test } from "node:test";
import { testPlugin } from "portico/testing";
import plugin from "./${name}.ts";

test("a request without the header is refused and goes no further", async () => {
  const { send } = await testPlugin(plugin, { header: "X-Example" });
  const { response, problem, passed } = await send();
  assert.equal(response.status, 403);
  assert.equal(problem?.code, "FORBIDDEN");
  assert.equal(passed, undefined);
});

test("a request with the header is passed on, and the answer says who checked it", async () => {
  const { send } = await testPlugin(plugin, { header: "X-Example" });
  const { response, passed } = await send({ headers: { "X-Example": "1" } });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("x-checked-by"), "${name}");
  assert.equal(passed?.headers.get("x-example"), "1");
});
`;
