import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, extname, relative, sep } from "node:path";
import { parseArgs } from "node:util";
import { formatProblem } from "../config/problem.ts";
import { readDocument } from "../openapi/load.ts";
import { type Spec, toSpec } from "../openapi/operations.ts";
import { SpecError } from "../openapi/spec-error.ts";

interface Wanted {
  readonly upstream: string | undefined;
  readonly service: string | undefined;
  readonly prefix: string | undefined;
}

/** `portico init [SPEC]`: writes the files of a gateway that starts. Never over one that is there. */
export async function init(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { upstream: { type: "string" }, service: { type: "string" }, prefix: { type: "string" } },
  });
  const [given] = positionals;
  const { upstream, service, prefix } = values;
  const wrong = findWrong({ upstream, service, prefix });
  if (wrong !== undefined) {
    process.stderr.write(`${wrong}\n`);
    return 2;
  }
  const files = new Map([["portico.yaml", PORTICO(service !== undefined)]]);
  try {
    if (given === undefined) files.set("openapi/hello.yaml", HELLO).set("routes/hello.yaml", HELLO_ROUTE);
    else
      files.set(`routes/${basename(given, extname(given))}.yaml`, await routeFor(given, { upstream, service, prefix }));
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    process.stderr.write(`${formatProblem({ ...error.location, message: error.message })}\n`);
    return 1;
  }
  for (const [file, text] of files) await writeNew(file, text);
  process.stdout.write("portico check says whether all is well; portico start runs it\n");
  return 0;
}

function findWrong({ upstream, service, prefix }: Wanted): string | undefined {
  if (upstream !== undefined && service !== undefined) return "write --upstream or --service, not both";
  if (upstream !== undefined && !/^https?:\/\/./.test(upstream)) {
    return `--upstream is ${upstream}; write a URL, as http://127.0.0.1:9000`;
  }
  if (prefix !== undefined && !/^(\/.*[^/])?$/.test(prefix)) return `--prefix is ${prefix}; write a path, as /shop`;
  return undefined;
}

/** What is there stays: a second spec is added to a gateway by a second `init`. */
async function writeNew(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  try {
    await writeFile(file, text, { flag: "wx" });
    process.stdout.write(`wrote ${file}\n`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    process.stdout.write(`${file} is there already, and stays as it is\n`);
  }
}

async function routeFor(file: string, { upstream, service, prefix }: Wanted): Promise<string> {
  const spec = toSpec((await readDocument(file)).value, file, prefix);
  const path = relative("routes", file).split(sep).join("/");
  const lines = [`openapi: ${JSON.stringify(path)}   # ${spec.operations.length} operations`];
  if (prefix !== undefined) lines.push(`prefix: ${prefix}`);
  const target = JSON.stringify(upstream ?? "http://127.0.0.1:9000");
  lines.push(
    service === undefined ? `upstream: { targets: [{ url: ${target} }] }` : `upstream: { service: ${service} }`,
  );
  return `${[...lines, ...securityOf(spec)].join("\n")}\n`;
}

/** Who enforces a scheme is for the author to say; until then the service does, as it did without a gateway. */
function securityOf({ operations, securitySchemes }: Spec): string[] {
  const used = new Set(operations.flatMap(({ security }) => security.flat().map(({ scheme }) => scheme)));
  if (used.size === 0) return [];
  const lines = [...used].map((name) => {
    const { type, scheme } = securitySchemes.get(name) ?? {};
    return `  ${JSON.stringify(name)}: upstream   # the service checks it; or ${suggestionFor(type, scheme)}`;
  });
  return ["security:", ...lines];
}

function suggestionFor(type: string | undefined, scheme: string | undefined): string {
  if (type === "apiKey") return '{ api-key: { keys: { "<key>": "<consumer>" } } }';
  if (type === "mutualTLS") return "{ mtls: {} }";
  if (scheme === "basic") return '{ basic-auth: { users: { "<name>": "<portico hash-password>" } } }';
  return '{ jwt: { jwksUrl: "https://id.example/jwks.json", audience: "<this API>" } }';
}

const PORTICO = (hasRegistry: boolean): string => `# docs/configuration.md has every key.
listen: { host: 127.0.0.1, port: 8080 }
admin: { port: 8081 }   # metrics, health and reload
routes: ./routes
${hasRegistry ? "registry: { embedded: { port: 8082, data: ./data } }   # services register themselves here\n" : ""}`;

const HELLO = `openapi: 3.1.0
info: { title: Hello, version: "1.0" }
paths:
  /hello/{name}:
    get:
      operationId: sayHello
      parameters:
        - { name: name, in: path, required: true, schema: { type: string, maxLength: 40 } }
      responses:
        "200":
          description: A greeting.
          content:
            application/json:
              schema: { type: object, required: [text], properties: { text: { type: string } } }
              example: { text: Hello! }
`;

const HELLO_ROUTE = `openapi: ../openapi/hello.yaml
mock: true   # answered from the spec; once there is a service: upstream: { targets: [{ url: "http://127.0.0.1:9000" }] }
`;
