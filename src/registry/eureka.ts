import express, { type Request, type Response, Router } from "express";
import { GatewayError } from "../core/errors.ts";
import type { Operation } from "../core/operation.ts";
import type { Caller } from "./access.ts";
import { type ApiParts, assertAddress, assertMayWrite } from "./api.ts";
import { fromEureka, toEureka, toStatus } from "./eureka-model.ts";
import { parseXml, toXml } from "./eureka-xml.ts";
import { assertRegistration } from "./validate.ts";

const serviceOf = (request: Request): string => String(request.params.app).toLowerCase();
const placeOf = (request: Request) => ({ service: serviceOf(request), id: String(request.params.id) });
const callerOf = (response: Response): Caller => response.locals.caller as Caller;

/**
 * Eureka's REST protocol over the same registry: Spring Cloud and Node services register unchanged.
 * @param register the operation whose rules a registration has to keep
 */
export function createEurekaRouter({ registry, quota, addresses }: ApiParts, register: Operation): Router {
  const { catalog } = registry;
  const router = Router();
  router.use(express.text({ type: () => true, limit: "128kb" }));

  const changing = (request: Request, response: Response): Caller => {
    const caller = callerOf(response);
    assertMayWrite(caller);
    quota.assertRate(caller.owner ?? request.socket.remoteAddress ?? "");
    return caller;
  };
  const application = (service: string) => ({
    name: service.toUpperCase(),
    instance: [...catalog.instancesOf(service).values()].map(toEureka),
  });

  router.post("/apps/:app", async (request, response) => {
    const caller = changing(request, response);
    const { id, request: body } = fromEureka(parseBody(request));
    const place = { service: serviceOf(request), id };
    await assertRegistration(register, place, body);
    quota.assertRoom(place, caller.owner);
    await assertAddress(addresses, body.url, request.socket.remoteAddress ?? "");
    await registry.register(place, body, caller);
    response.status(204).end();
  });
  router.put("/apps/:app/:id", async (request, response) => {
    assertMayWrite(callerOf(response));
    await registry.renew(placeOf(request), callerOf(response));
    response.status(200).end();
  });
  router.put("/apps/:app/:id/status", async (request, response) => {
    const caller = changing(request, response);
    await registry.setStatus(placeOf(request), toStatus(String(request.query.value)), caller);
    response.status(200).end();
  });
  router.delete("/apps/:app/:id/status", async (request, response) => {
    const caller = changing(request, response);
    await registry.setStatus(placeOf(request), toStatus(String(request.query.value ?? "UP")), caller);
    response.status(200).end();
  });
  router.delete("/apps/:app/:id", async (request, response) => {
    await registry.deregister(placeOf(request), changing(request, response));
    response.status(200).end();
  });
  router.get(["/apps", "/apps/"], async (request, response) => {
    await registry.ready("default");
    const all = [...catalog.serviceNames()].map(application);
    // A hash that never matches the reader's own makes it fetch all again, which is always right.
    answer(request, response, "applications", { versions__delta: "1", apps__hashcode: "", application: all });
  });
  router.get("/apps/delta", (_request, response) => {
    // Eureka's own servers may have deltas turned off: clients then read the whole.
    response.status(404).end();
  });
  router.get("/apps/:app", async (request, response) => {
    await registry.ready("default");
    if (catalog.instancesOf(serviceOf(request)).size === 0) throw unknown();
    answer(request, response, "application", application(serviceOf(request)));
  });
  router.get("/apps/:app/:id", async (request, response) => {
    await registry.ready("default");
    const known = catalog.get(serviceOf(request), String(request.params.id));
    if (known === undefined) throw unknown();
    answer(request, response, "instance", toEureka(known));
  });
  return router;
}

const unknown = (): GatewayError => new GatewayError("INSTANCE_UNKNOWN", "nothing is registered under that name");

function parseBody(request: Request): unknown {
  const body = String(request.body ?? "");
  if ((request.headers["content-type"] ?? "").includes("xml")) return parseXml(body);
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new GatewayError("BODY_MALFORMED", "the body is neither JSON nor declared as XML", { cause });
  }
}

/** XML is what Eureka answers to who does not ask for JSON. */
function answer(request: Request, response: Response, name: string, value: object): void {
  if ((request.headers.accept ?? "").includes("json")) response.json({ [name]: value });
  else response.type("application/xml").send(toXml(name, value));
}
