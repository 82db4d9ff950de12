import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createIssuer } from "../demo/issuer.ts";
import { createGateway, listenOn, type Portico } from "../runtime/portico.ts";
import { endOnSignal } from "./ending.ts";
import { explainFailure } from "./failure.ts";

const ISSUER_PORT = 8083;
/** Where routes/petstore.yaml looks for the issuer's port; 0 takes a free one. */
const ISSUER_PORT_VARIABLE = "PORTICO_ISSUER_PORT";
const INSTANCES = 2;

/** `portico demo`: the gateway with its registry, an issuer of tokens, and a petstore in two processes that register themselves. */
export async function demo(args: string[]): Promise<number | undefined> {
  const { values } = parseArgs({ args, options: { config: { type: "string" } } });
  const issuer = await createIssuer(process.env.PETSTORE_SECRET ?? "a secret for the demo only, long enough");
  let gateway: Portico;
  let url: string;
  try {
    const issuerUrl = await listenOn(
      issuer.server,
      Number(process.env[ISSUER_PORT_VARIABLE] ?? ISSUER_PORT),
      "127.0.0.1",
    );
    process.env[ISSUER_PORT_VARIABLE] = new URL(issuerUrl).port;
    gateway = await createGateway({ file: values.config });
    url = await gateway.listen();
  } catch (error) {
    process.stderr.write(`${explainFailure(error)}\n`);
    return 1;
  }
  const registry = gateway.registryUrl ?? "http://127.0.0.1:8082";
  const services = Array.from({ length: INSTANCES }, () =>
    startPetstore(registry, join(gateway.config().folder, "data/petstore")),
  );
  endOnSignal(async () => {
    for (const service of services) service.kill("SIGTERM");
    await Promise.all(services.map(hasEnded));
    issuer.server.closeAllConnections();
    issuer.server.close();
    await gateway.close();
  });
  await Promise.all(services.flatMap(({ stdout }) => (stdout === null ? [] : [once(stdout, "data")])));
  const token = await issuer.sign("ES256", "pets:write");
  process.stdout.write(guide({ url, registry, admin: gateway.adminUrl, pids: services.map(({ pid }) => pid), token }));
  process.stdout.write(`Portico listening on ${url}\n`);
  return undefined;
}

function startPetstore(registry: string, data: string): ChildProcess {
  const file = fileURLToPath(
    new URL(import.meta.url.endsWith(".ts") ? "../demo/petstore.ts" : "../demo/petstore.js", import.meta.url),
  );
  return spawn(process.execPath, [...process.execArgv, file, "--registry", registry, "--data", data], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function hasEnded(service: ChildProcess): Promise<void> {
  if (service.exitCode === null && service.signalCode === null) await once(service, "exit");
}

interface Guide {
  readonly url: string;
  readonly registry: string;
  readonly admin: string | undefined;
  readonly pids: readonly (number | undefined)[];
  readonly token: string;
}

const guide = ({ url, registry, admin, pids, token }: Guide): string => `
  portal     ${url}/portal      every endpoint, to try in a browser
  petstore   ${url}/petstore    openapi/petstore.yaml, routes/petstore.yaml; instances are processes ${pids.join(" and ")}
  registry   ${registry}/v1/services/petstore
  admin      ${admin ?? "off"}/metrics

Try:
  curl -i '${url}/petstore/pets?limit=2'                                 # twice: then Cache-Status says hit
  curl -i '${url}/petstore/pets?limit=abc'                               # 400, and why
  curl -i ${url}/petstore/pets -H 'X-API-Key: demo-key' -H 'Content-Type: application/json' -d '{"name":"Ida","tag":"cat"}'
  curl -i -X DELETE ${url}/petstore/pets/1 -H 'Authorization: Bearer ${token}'

`;
