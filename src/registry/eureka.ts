import express, { type Request, type Response, Router } from "express";
import { systemClock } from "../core/clock.ts";
import { GatewayError } from "../core/errors.ts";
import type { Operation } from "../core/operation.ts";
import type { Caller } from "./access.ts";
import { type ApiParts, assertAddress, assertMayWrite } from "./api.ts";
import { sendAll, sendInstance, sendService } from "./eureka-answer.ts";
import { type EurekaChange, EurekaMemory } from "./eureka-memory.ts";
import { fromEureka, fromStatus, toEureka, toStatus } from "./eureka-model.ts";
import { parseXml } from "./eureka-xml.ts";
import type { Registration } from "./registration.ts";
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
  const memory = new EurekaMemory(catalog, systemClock);
  const toOne = (known: Registration, actionType?: EurekaChange["actionType"]) =>
    toEureka(known, { override: memory.overrideOf(known), lastDirtyMs: memory.stampOf(known), actionType });

  router.post("/apps/:app", async (request, response) => {
    const caller = changing(request, response);
    const { id, request: told, lastDirtyMs } = fromEureka(parseBody(request));
    const place = { service: serviceOf(request), id };
    const known = catalog.get(place.service, id);
    if (known !== undefined && lastDirtyMs !== undefined && lastDirtyMs < memory.stampOf(place)) {
      // Late on its way: what the instance has said of itself since then stands.
      await registry.renew(place, caller);
      response.status(204).end();
      return;
    }
    const override = known === undefined ? undefined : memory.overrideOf(place);
    const body = override === undefined ? told : { ...told, status: override };
    await assertRegistration(register, place, body);
    await assertAddress(addresses, body.url, request.socket.remoteAddress ?? "");
    quota.assertRoom(place, caller.owner);
    await registry.register(place, body, caller);
    memory.stamp(place, lastDirtyMs);
    response.status(204).end();
  });
  router.put("/apps/:app/:id", async (request, response) => {
    assertMayWrite(callerOf(response));
    // It has changed and could not tell so far: 404 makes it register again, with what is new.
    if (Number(request.query.lastDirtyTimestamp ?? 0) > (memory.stampOf(placeOf(request)) || Number.POSITIVE_INFINITY))
      throw unknown();
    await registry.renew(placeOf(request), callerOf(response));
    response.status(200).end();
  });
  router.put("/apps/:app/:id/status", async (request, response) => {
    const caller = changing(request, response);
    const status = toStatus(String(request.query.value));
    await registry.setStatus(placeOf(request), status, caller);
    memory.override(placeOf(request), status);
    response.status(200).end();
  });
  router.delete("/apps/:app/:id/status", async (request, response) => {
    const caller = changing(request, response);
    await registry.setStatus(placeOf(request), toStatus(String(request.query.value ?? "UP")), caller);
    memory.override(placeOf(request), undefined);
    response.status(200).end();
  });
  router.delete("/apps/:app/:id", async (request, response) => {
    await registry.deregister(placeOf(request), changing(request, response));
    response.status(200).end();
  });
  router.get(["/apps", "/apps/"], async (request, response) => {
    await registry.ready("default");
    const services = [...catalog.serviceNames()].map(
      (name) => [name, [...catalog.instancesOf(name).values()].map((registration) => ({ registration }))] as const,
    );
    await sendAll(request, response, { services, hashCode: hashCode(), toOne });
  });
  router.get("/apps/delta", async (request, response) => {
    await registry.ready("default");
    const changes = memory.recent();
    if (changes === undefined) {
      // A client that gets none reads the whole.
      response.status(404).end();
      return;
    }
    const services = new Map<string, EurekaChange[]>();
    for (const change of changes) {
      const of = services.get(change.registration.service) ?? [];
      services.set(change.registration.service, of);
      of.push(change);
    }
    await sendAll(request, response, { services, hashCode: hashCode(), toOne });
  });
  router.get("/apps/:app", async (request, response) => {
    await registry.ready("default");
    const instances = [...catalog.instancesOf(serviceOf(request)).values()];
    if (instances.length === 0) throw unknown();
    await sendService(request, response, {
      service: serviceOf(request),
      told: instances.map((registration) => ({ registration })),
      toOne,
    });
  });
  router.get("/apps/:app/:id", async (request, response) => {
    await registry.ready("default");
    const known = catalog.get(serviceOf(request), String(request.params.id));
    if (known === undefined) throw unknown();
    sendInstance(request, response, toOne(known));
  });
  return router;

  /** What a client holds its own sum against, once it has applied a delta: how many instances there are of each status. */
  function hashCode(): string {
    const counts = new Map<string, number>();
    for (const { status } of catalog.all()) counts.set(fromStatus[status], (counts.get(fromStatus[status]) ?? 0) + 1);
    return [...counts]
      .sort()
      .map(([status, count]) => `${status}_${count}_`)
      .join("");
  }
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
