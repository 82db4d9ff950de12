import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { folderWith, portico } from "../support/cli.ts";
import { eventually } from "../support/eventually.ts";

const SPEC = `openapi: 3.1.0
info: { title: Pets, version: "1" }
paths: { /pets: { get: { operationId: findPets, responses: { "200": { description: ok } } } } }
`;
const files = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  "portico.yaml": "listen: { port: 0 }\n",
  "openapi/pets.yaml": SPEC,
  "routes/pets.yaml": 'openapi: ../openapi/pets.yaml\nupstream: { targets: [{ url: "http://127.0.0.1:1" }] }\n',
  ...more,
});

test("start says where it listens once it answers, and ends cleanly on SIGTERM", async (t) => {
  const folder = await folderWith(t, files());
  const run = portico("start", "--config", join(folder, "portico.yaml"));
  const [, url] = await run.printed(/^Portico listening on (http:\/\/127\.0\.0\.1:\d+)$/m);
  assert.equal((await fetch(`${url}/nothing`)).status, 404);
  run.child.kill("SIGTERM");
  const { code, stdout } = await run.finished;
  assert.equal(code, 0);
  assert.equal(stdout.trim().split("\n").length, 1);
});

test("--port goes before the configuration's port", async (t) => {
  const folder = await folderWith(t, files({ "portico.yaml": "listen: { port: 1 }\n" }));
  const run = portico("start", "--config", join(folder, "portico.yaml"), "--port", "0");
  await run.printed(/listening/);
  run.child.kill("SIGINT");
  assert.equal((await run.finished).code, 0);
});

const MISTAKES: [string, Record<string, string>, RegExp][] = [
  [
    "a size that is none",
    { "portico.yaml": "limits:\n  bodyBytes: lots\n" },
    /portico\.yaml:2:14 limits\.bodyBytes is "lots"; it must be one of: string, integer \(A size such as 32KiB/,
  ],
  [
    "a host with a scheme",
    {
      "routes/pets.yaml":
        'openapi: ../openapi/pets.yaml\nhost: "http://a"\nupstream: { targets: [{ url: "http://a" }] }\n',
    },
    /routes\/pets\.yaml:2:7 host is "http:\/\/a"; .*no scheme, no port/,
  ],
  [
    "a folder of specs that has none",
    { "routes/pets.yaml": 'openapi: ../empty\nupstream: { targets: [{ url: "http://a" }] }\n', "empty/readme.md": "" },
    /routes\/pets\.yaml:1:10 openapi is "\.\.\/empty"; the folder holds no file that ends in/,
  ],
  [
    "JSON that ends too early",
    {
      "openapi/pets.yaml": "",
      "openapi/pets.json": '{"openapi": "3.1.0",\n "paths": }',
      "routes/pets.yaml": 'openapi: ../openapi/pets.json\nupstream: { targets: [{ url: "http://a" }] }\n',
    },
    /openapi\/pets\.json:2:11 is not JSON: "}" should not be there/,
  ],
  [
    "an unknown key, with the key that was meant",
    { "portico.yaml": "lisen: { port: 0 }\n" },
    /portico\.yaml:1:\d+ lisen is not a key; did you mean listen\?/,
  ],
  ["YAML that cannot be read", { "portico.yaml": "listen: { port: 0\n" }, /portico\.yaml:\d+:\d+ is not YAML/],
  [
    "a value of the wrong type",
    { "portico.yaml": "listen:\n  port: soon\n" },
    /portico\.yaml:2:9 listen\.port is "soon"/,
  ],
  [
    "a certificate that is not there",
    { "portico.yaml": "listen:\n  port: 0\n  tls:\n    cert: ./no.pem\n    key: ./no.key\n" },
    /portico\.yaml:4:11 listen\.tls\.cert is "\.\/no\.pem"; it cannot be read \(ENOENT\); write the path of a PEM file/,
  ],
  [
    "an unset variable",
    { "portico.yaml": 'admin: { token: "$' + '{PORTICO_TEST_UNSET}" }\n' },
    /needs the environment variable PORTICO_TEST_UNSET/,
  ],
  [
    "a spec that is not there",
    { "routes/pets.yaml": 'openapi: ../nowhere.yaml\nupstream: { targets: [{ url: "http://a" }] }\n' },
    /routes\/pets\.yaml:1:10 openapi is/,
  ],
  ["a spec that is not OpenAPI", { "openapi/pets.yaml": "- 1\n" }, /openapi\/pets\.yaml.*(OpenAPI|openapi)/],
  ["a route without an upstream", { "routes/pets.yaml": "openapi: ../openapi/pets.yaml\n" }, /upstream is missing/],
  [
    "an operation that the spec does not have",
    {
      "routes/pets.yaml":
        'openapi: ../openapi/pets.yaml\nupstream: { targets: [{ url: "http://a" }] }\noperations:\n  findPet: {}\n',
    },
    /routes\/pets\.yaml:4:\d+ operations\.findPet is not an operation/,
  ],
  [
    "a plugin that does not exist",
    {
      "routes/pets.yaml":
        'openapi: ../openapi/pets.yaml\nupstream: { targets: [{ url: "http://a" }] }\nplugins:\n  - no-such-plugin\n',
    },
    /routes\/pets\.yaml:4:\d+ plugin no-such-plugin cannot be loaded/,
  ],
  [
    "a security scheme that nothing enforces",
    {
      "openapi/pets.yaml": `${SPEC}components: { securitySchemes: { key: { type: apiKey, in: header, name: X-Key } } }\nsecurity: [{ key: [] }]\n`,
    },
    /nothing enforces the security scheme key/,
  ],
];

for (const [name, wrong, message] of MISTAKES) {
  test(`start and check refuse ${name}, and exit with 1`, async (t) => {
    const folder = await folderWith(t, files(wrong));
    const runs = ["start", "check"].map(
      (command) => portico(command, "--config", join(folder, "portico.yaml")).finished,
    );
    for (const { code, stderr } of await Promise.all(runs)) {
      assert.match(stderr, message);
      assert.equal(code, 1);
    }
  });
}

test("check reports every problem of every file at once", async (t) => {
  const route = "openapi: ../openapi/pets.yaml\nupstrem: 1\ntimeouts: { headersMs: 5s }\n";
  const folder = await folderWith(t, files({ "portico.yaml": "lisen: 1\nportall: 2\n", "routes/pets.yaml": route }));
  const { code, stderr } = await portico("check", "--config", join(folder, "portico.yaml")).finished;
  for (const message of [/lisen/, /portall/, /upstrem.*upstream/, /timeouts\.headersMs is "5s"/, /4 problems/])
    assert.match(stderr, message);
  assert.equal(code, 1);
});

test("check counts the operations of a good configuration", async (t) => {
  const folder = await folderWith(t, files());
  const { code, stdout } = await portico("check", "--config", join(folder, "portico.yaml")).finished;
  assert.equal(stdout, "ok: 1 operations\n");
  assert.equal(code, 0);
});

test("check warns with file, line and column, and fails for it with --strict only", async (t) => {
  const spec = SPEC.replace("get: {", "get: { parameters: [{ name: q, in: query }],");
  const folder = await folderWith(t, files({ "openapi/pets.yaml": spec }));
  const config = ["--config", join(folder, "portico.yaml")];
  const [lenient, strict] = await Promise.all([
    portico("check", ...config).finished,
    portico("check", ...config, "--strict").finished,
  ]);
  assert.match(lenient.stderr, /pets\.yaml:\d+:\d+ warning: the parameter q has no schema: .*say what it may be/);
  assert.equal(lenient.code, 0);
  assert.match(strict.stderr, /1 warning\n/);
  assert.equal(strict.code, 1);
});

test("check warns of a gateway that answers nothing", async (t) => {
  const folder = await folderWith(t, { "portico.yaml": "" });
  const { code, stdout, stderr } = await portico("check", "--config", join(folder, "portico.yaml")).finished;
  assert.equal(code, 0);
  assert.equal(stdout, "ok: 0 operations\n");
  assert.match(stderr, /warning: there are no operations: every request is a 404/);
});

test("start says that a registry does not answer, and goes on", async (t) => {
  const folder = await folderWith(
    t,
    files({
      "portico.yaml": 'listen: { port: 0 }\nregistry: { url: "http://127.0.0.1:1" }\n',
      "routes/pets.yaml": "openapi: ../openapi/pets.yaml\nupstream: { service: pets }\n",
    }),
  );
  const run = portico("start", "--config", join(folder, "portico.yaml"));
  t.after(() => run.child.kill("SIGKILL"));
  await run.complained(/"service":"pets".*nothing is known of a service/);
  const [, url] = await run.printed(/listening on (\S+)/);
  assert.equal((await fetch(`${url}/pets`)).status, 503);
});

test("start says which port is taken, and exits with 1", async (t) => {
  const folder = await folderWith(t, files());
  const first = portico("start", "--config", join(folder, "portico.yaml"));
  const [, port] = await first.printed(/:(\d+)$/m);
  const second = await portico("start", "--config", join(folder, "portico.yaml"), "--port", String(port)).finished;
  assert.match(second.stderr, new RegExp(`port ${port} is taken`));
  assert.equal(second.code, 1);
  first.child.kill("SIGTERM");
  assert.equal((await first.finished).code, 0);
});

test("SIGHUP reads the configuration again, and a wrong one changes nothing", async (t) => {
  const folder = await folderWith(t, files());
  const run = portico("start", "--config", join(folder, "portico.yaml"));
  const [, url] = await run.printed(/listening on (\S+)$/m);
  await writeFile(join(folder, "openapi/pets.yaml"), SPEC.replace("/pets:", "/cats:"));
  run.child.kill("SIGHUP");
  await run.complained(/reloaded: 1 operations/);
  assert.equal((await fetch(`${url}/pets`)).status, 404);
  await writeFile(join(folder, "openapi/pets.yaml"), "- 1\n");
  run.child.kill("SIGHUP");
  await run.complained(/not reloaded[\s\S]*openapi\/pets\.yaml/);
  assert.equal((await fetch(`${url}/cats`)).status, 502);
  run.child.kill("SIGTERM");
  assert.equal((await run.finished).code, 0);
});

test("what fails behind the gateway is logged under the request id that the client was shown", async (t) => {
  const folder = await folderWith(t, files());
  const run = portico("start", "--config", join(folder, "portico.yaml"));
  const [, url] = await run.printed(/listening on (\S+)$/m);
  const { requestId } = (await (await fetch(`${url}/pets`)).json()) as { requestId: string };
  const [line] = await run.complained(new RegExp(`^.*"requestId":"${requestId}".*$`, "m"));
  assert.equal((JSON.parse(line) as { code: string }).code, "UPSTREAM_UNREACHABLE");
  run.child.kill("SIGTERM");
  assert.equal((await run.finished).code, 0);
});

test("with --watch a spec that changes is served at once, and a wrong one changes nothing", async (t) => {
  const folder = await folderWith(t, files());
  const spec = join(folder, "openapi/pets.yaml");
  const run = portico("start", "--config", join(folder, "portico.yaml"), "--watch");
  t.after(() => run.child.kill("SIGKILL"));
  const [, url] = await run.printed(/listening on (\S+)/);
  await writeFile(spec, SPEC.replace("/pets:", "/cats:"));
  await eventually("the new path", async () => (await fetch(`${url}/cats`)).status === 502);
  assert.equal((await fetch(`${url}/pets`)).status, 404);
  await writeFile(spec, "openapi: 3.1.0\npaths: [\n");
  await run.complained(/not reloaded, the old configuration goes on:\n.*pets\.yaml:3:1 is not YAML/);
  assert.equal((await fetch(`${url}/cats`)).status, 502);
});
