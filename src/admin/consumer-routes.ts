import express, { type Request, type Response, Router } from "express";
import { checkOptions } from "../config/check.ts";
import { ConsumerSettings, CredentialOptions } from "../config/consumer-options.ts";
import { formatProblem } from "../config/problem.ts";
import { inlineSource } from "../config/source.ts";
import { Type } from "../core/type.ts";
import type { ConsumerAdmin, NewCredential } from "../gateway/consumer-admin.ts";
import type { StoredConsumer, StoredCredential } from "../storage/consumer-store.ts";

const NewCredentialBody = Type.Object(
  {
    ...CredentialOptions.properties,
    apiKey: Type.Optional(Type.Union([Type.Literal(true), Type.String({ minLength: 16 })])),
    password: Type.Optional(Type.String({ minLength: 8, description: "In clear text; its hash is kept." })),
  },
  { additionalProperties: false },
);
const ExpiryBody = Type.Object({ expires: Type.String() }, { additionalProperties: false });
const RotationBody = Type.Object(
  { graceSeconds: Type.Optional(Type.Number({ minimum: 0 })) },
  { additionalProperties: false },
);
const NAME = /^[\x21-\x7e]{1,200}$/;

/** `/v1/consumers`: makes, lists, changes and ends consumers and their credentials, while the gateway runs. */
export function createConsumerRouter(consumers: ConsumerAdmin): Router {
  const router = Router();
  router.use("/v1/consumers", express.json({ limit: "256kb" }));
  router.get("/v1/consumers", (_request, response) => {
    response.json([...consumers.stored()].map(([name, consumer]) => shown(name, consumer)));
  });
  router.get("/v1/consumers/:name", (request, response) => {
    const consumer = consumers.stored().get(request.params.name);
    if (consumer === undefined) unknown(response);
    else response.json(shown(request.params.name, consumer));
  });
  router.put("/v1/consumers/:name", async (request, response) => {
    const { name } = request.params;
    if (!NAME.test(name))
      return answer(response, 400, "REQUEST_INVALID", "a name is 1 to 200 visible ASCII characters");
    if (consumers.isInFiles(name)) {
      return answer(
        response,
        409,
        "CONSUMER_IN_FILE",
        "this consumer stands in a file of the configuration: change it there",
      );
    }
    const settings = read(request, response, ConsumerSettings);
    if (settings === undefined) return;
    const { isNew, consumer } = await consumers.put(name, settings as Type.Static<typeof ConsumerSettings>);
    response.status(isNew ? 201 : 200).json(shown(name, consumer));
  });
  router.delete("/v1/consumers/:name", async (request, response) => {
    if (await consumers.remove(request.params.name)) response.status(204).end();
    else unknown(response);
  });
  router.post("/v1/consumers/:name/credentials", async (request, response) => {
    const body = read(request, response, NewCredentialBody);
    if (body === undefined) return;
    const { password, ...rest } = body as Type.Static<typeof NewCredentialBody>;
    const given = { ...rest, ...(password !== undefined && { plainPassword: password }) } as NewCredential;
    const made = await consumers.addCredential(request.params.name, given);
    if (made === undefined) unknown(response);
    else response.status(201).json(told(made));
  });
  router.post("/v1/consumers/:name/credentials/:id/rotate", async (request, response) => {
    const body = read(request, response, RotationBody);
    if (body === undefined) return;
    const { graceSeconds = 0 } = body as Type.Static<typeof RotationBody>;
    const made = await consumers.rotate(request.params.name, request.params.id, graceSeconds);
    if (made === undefined) unknown(response);
    else response.status(201).json(told(made));
  });
  router.patch("/v1/consumers/:name/credentials/:id", async (request, response) => {
    const body = read(request, response, ExpiryBody) as Type.Static<typeof ExpiryBody> | undefined;
    if (body === undefined) return;
    if (Number.isNaN(Date.parse(body.expires))) {
      return answer(response, 400, "REQUEST_INVALID", "expires must be a time such as 2027-01-31T00:00:00Z");
    }
    const { name, id } = request.params;
    if (await consumers.endCredential(name, id, new Date(body.expires).toISOString())) response.status(204).end();
    else unknown(response);
  });
  router.delete("/v1/consumers/:name/credentials/:id", async (request, response) => {
    if (await consumers.endCredential(request.params.name, request.params.id, undefined)) response.status(204).end();
    else unknown(response);
  });
  return router;
}

const told = ({ credential, key }: { credential: StoredCredential; key?: string }): object => ({
  ...(key !== undefined && { key }),
  ...withoutSecrets(credential),
});

const shown = (name: string, { credentials, ...settings }: StoredConsumer): object => ({
  name,
  ...settings,
  credentials: credentials.map(withoutSecrets),
});

/** What a credential is and to what it belongs; neither digest nor hash. */
const withoutSecrets = ({ apiKey, password, ...rest }: StoredCredential): object => ({
  kind: apiKey !== undefined ? "api-key" : password !== undefined ? "password" : rest.token ? "token" : "certificate",
  ...rest,
});

/** @returns undefined when the body is not what the schema wants: the refusal has been sent */
function read(request: Request, response: Response, schema: Type.TSchema): unknown {
  const body: unknown = request.body ?? {};
  const problems = checkOptions(inlineSource("body", body), schema, body, []);
  if (problems.length === 0) return body;
  answer(response, 400, "REQUEST_INVALID", problems.map(formatProblem).join("; "));
  return undefined;
}

const unknown = (response: Response): void =>
  answer(response, 404, "CONSUMER_UNKNOWN", "there is no such consumer or credential here");

function answer(response: Response, status: number, code: string, detail: string): void {
  response.status(status).type("application/problem+json");
  response.send(JSON.stringify({ title: code, status, code, detail }));
}
