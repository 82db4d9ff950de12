import type { Request, Response } from "express";
import { GatewayError } from "../core/errors.ts";
import type { AddressPolicy } from "../discovery/address-policy.ts";
import { type Caller, isLoopback } from "./access.ts";
import { Lists, sendWithList } from "./lists.ts";
import { awaitChange } from "./long-poll.ts";
import type { Quota } from "./quota.ts";
import { type InstanceStatus, type RegistrationRequest, toPublicJson } from "./registration.ts";
import type { Consistency, Place, Registry } from "./registry.ts";
import { streamChanges } from "./stream.ts";

export interface ApiParts {
  readonly registry: Registry;
  readonly quota: Quota;
  readonly addresses: AddressPolicy;
}

export type ApiHandler = (request: Request, response: Response, caller: Caller) => Promise<void>;

const placeOf = (request: Request): Place => request.params as unknown as Place;
const consistencyOf = (request: Request): Consistency => (request.query.consistency ?? "default") as Consistency;
const wantsEvents = (request: Request): boolean =>
  (request.headers.accept ?? "").toLowerCase().includes("text/event-stream");

/** The operations of `openapi/registry.yaml`, by operationId; each has been validated and its caller authenticated. */
export function createApi({ registry, quota, addresses }: ApiParts): Readonly<Record<string, ApiHandler>> {
  const { catalog } = registry;
  const lists = new Lists(catalog);

  return {
    async registerInstance(request, response, caller) {
      const body = request.body as RegistrationRequest;
      const from = request.socket.remoteAddress ?? "";
      changeBy(caller, from);
      const place = placeOf(request);
      await assertAddress(addresses, body.url, from);
      // Last, as what is awaited lets others in: many at once would all find the same room.
      quota.assertRoom(place, caller.owner);
      const { created, made } = await registry.register(place, body, caller);
      const { service, id, lease, ttlSeconds } = made;
      response.status(created ? 201 : 200).json({ service, id, lease, ttlSeconds, index: catalog.indexOf(service) });
    },

    async renewInstance(request, response, caller) {
      assertMayWrite(caller);
      await registry.renew(placeOf(request), caller, request.query.lease as string | undefined);
      response.status(204).end();
    },

    async setInstanceStatus(request, response, caller) {
      changeBy(caller, request.socket.remoteAddress ?? "");
      const { status } = request.body as { status: InstanceStatus };
      await registry.setStatus(placeOf(request), status, caller);
      response.status(204).end();
    },

    async deregisterInstance(request, response, caller) {
      changeBy(caller, request.socket.remoteAddress ?? "");
      await registry.deregister(placeOf(request), caller);
      response.status(204).end();
    },

    async getInstance(request, response) {
      await registry.ready(consistencyOf(request));
      const { service, id } = placeOf(request);
      const known = catalog.get(service, id);
      if (known === undefined) throw new GatewayError("INSTANCE_UNKNOWN", "no such instance is registered");
      response.type("json").send(toPublicJson(known));
    },

    async getService(request, response) {
      const { service } = placeOf(request);
      await registry.ready(consistencyOf(request));
      if (wantsEvents(request)) return streamChanges(registry, service, response, quota.takeWatch());
      await awaitChange(catalog, service, request, response, quota);
      if (response.destroyed) return;
      const { index, text } = lists.of(service);
      const list = await text;
      if (response.destroyed) return;
      response.set("X-Portico-Index", String(index));
      sendWithList(response, { service, index, preserving: registry.state().isPreserving }, "instances", list);
    },

    async listServices(request, response) {
      await registry.ready(consistencyOf(request));
      if (wantsEvents(request)) return streamChanges(registry, undefined, response, quota.takeWatch());
      await awaitChange(catalog, undefined, request, response, quota);
      if (response.destroyed) return;
      const services: Record<string, { index: number; instances: number; up: number }> = Object.create(null);
      for (const name of catalog.serviceNames()) {
        const instances = catalog.instancesOf(name);
        let up = 0;
        for (const { status } of instances.values()) if (status === "up") up++;
        services[name] = { index: catalog.indexOf(name), instances: instances.size, up };
      }
      response.set("X-Portico-Index", String(catalog.index));
      response.json({ index: catalog.index, preserving: registry.state().isPreserving, services });
    },

    async getStatus(_request, response) {
      response.json(registry.state());
    },
  };

  function changeBy(caller: Caller, from: string): void {
    assertMayWrite(caller);
    quota.assertRate(caller.owner ?? from);
  }
}

export function assertMayWrite(caller: Caller): void {
  if (!caller.mayWrite) throw new GatewayError("FORBIDDEN", "this token may only read");
}

/** @throws ADDRESS_REFUSED with a pointer to the member that says it */
export async function assertAddress(addresses: AddressPolicy, url: string, from: string): Promise<void> {
  const refusal = await addresses.findRefusalOfUrl(url, { isRegistrantLocal: isLoopback(from) });
  if (refusal === undefined) return;
  throw new GatewayError("ADDRESS_REFUSED", `the registry takes no instance there: ${refusal}`, {
    extensions: { violations: [{ location: "body", pointer: "/url", keyword: "address", message: refusal }] },
  });
}
