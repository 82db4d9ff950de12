import type { Request, Response } from "express";
import { Turn } from "../core/slices.ts";
import { drained } from "./drained.ts";
import type { EurekaChange } from "./eureka-memory.ts";
import { toXml } from "./eureka-xml.ts";
import type { Registration } from "./registration.ts";

/** An instance, and what happened to it where that is told. */
export interface Told {
  readonly registration: Registration;
  readonly actionType?: EurekaChange["actionType"];
}

type ToOne = (registration: Registration, actionType?: EurekaChange["actionType"]) => object;

/** Pieces of text that are written together. */
const PIECE_CHARACTERS = 65_536;

/** XML is what Eureka answers to who does not ask for JSON. */
const wantsJson = (request: Request): boolean => (request.headers.accept ?? "").includes("json");

/** All services with their instances, or the changes of each. */
export function sendAll(
  request: Request,
  response: Response,
  parts: {
    readonly services: Iterable<readonly [string, readonly Told[]]>;
    readonly hashCode: string;
    readonly toOne: ToOne;
  },
): Promise<void> {
  const { services, hashCode, toOne } = parts;
  return send(response, wantsJson(request), function* () {
    if (!wantsJson(request)) {
      yield `<applications><versions__delta>1</versions__delta>${toXml("apps__hashcode", hashCode)}`;
      for (const [service, told] of services) yield* serviceXml(service, told, toOne);
      yield "</applications>";
      return;
    }
    yield `{"applications":{"versions__delta":"1","apps__hashcode":${JSON.stringify(hashCode)},"application":[`;
    let comma = "";
    for (const [service, told] of services) {
      yield comma;
      yield* serviceJson(service, told, toOne);
      comma = ",";
    }
    yield "]}}";
  });
}

/** One service with its instances. */
export function sendService(
  request: Request,
  response: Response,
  { service, told, toOne }: { readonly service: string; readonly told: readonly Told[]; readonly toOne: ToOne },
): Promise<void> {
  return send(response, wantsJson(request), function* () {
    if (!wantsJson(request)) {
      yield* serviceXml(service, told, toOne);
      return;
    }
    yield '{"application":';
    yield* serviceJson(service, told, toOne);
    yield "}";
  });
}

export function sendInstance(request: Request, response: Response, instance: object): void {
  if (wantsJson(request)) response.json({ instance });
  else response.type("application/xml").send(toXml("instance", instance));
}

function* serviceJson(service: string, told: readonly Told[], toOne: ToOne): Generator<string, void> {
  yield `{"name":${JSON.stringify(service.toUpperCase())},"instance":[`;
  let comma = "";
  for (const { registration, actionType } of told) {
    yield comma + JSON.stringify(toOne(registration, actionType));
    comma = ",";
  }
  yield "]}";
}

function* serviceXml(service: string, told: readonly Told[], toOne: ToOne): Generator<string, void> {
  yield `<application>${toXml("name", service.toUpperCase())}`;
  for (const { registration, actionType } of told) yield toXml("instance", toOne(registration, actionType));
  yield "</application>";
}

/** A list of thousands takes a tenth of a second to write: in slices, and no faster than it is read. */
async function send(response: Response, isJson: boolean, write: () => Generator<string, void>): Promise<void> {
  response.type(isJson ? "application/json" : "application/xml");
  const turn = new Turn();
  let piece = "";
  for (const text of write()) {
    piece += text;
    if (turn.isOver) await turn.pass();
    if (piece.length < PIECE_CHARACTERS) continue;
    if (!response.write(piece)) await drained(response);
    if (response.destroyed) return;
    piece = "";
  }
  response.end(piece);
}
