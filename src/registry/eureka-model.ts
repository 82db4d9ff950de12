import { GatewayError } from "../core/errors.ts";
import type { InstanceStatus, Registration, RegistrationRequest } from "./registration.ts";

/** Netflix's names for our statuses; STARTING and UNKNOWN take no work either. */
export const toStatus = (text: string | undefined): InstanceStatus =>
  text === undefined || text === "UP" ? "up" : text === "OUT_OF_SERVICE" ? "draining" : "down";
export const fromStatus = { up: "UP", draining: "OUT_OF_SERVICE", down: "DOWN" } as const;

type Json = Readonly<Record<string, unknown>>;
const object = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const text = (value: unknown): string | undefined =>
  typeof value === "string" || typeof value === "number" ? String(value) : undefined;

/** What a Eureka client says of itself, in our words. @throws REQUEST_INVALID when it names no address */
export function fromEureka(body: unknown): {
  id: string;
  request: RegistrationRequest;
  /** When it last changed, by its own clock. */
  lastDirtyMs: number | undefined;
} {
  const instance = object(object(body).instance);
  const secure = object(instance.securePort);
  const isSecure = String(secure["@enabled"]) === "true";
  const plain = typeof instance.port === "object" ? object(instance.port).$ : instance.port;
  const port = text(isSecure ? secure.$ : plain);
  const host = text(instance.ipAddr) ?? text(instance.hostName);
  const id = text(instance.instanceId) ?? text(instance.hostName);
  if (host === undefined || port === undefined || id === undefined) {
    throw new GatewayError("REQUEST_INVALID", "an instance has hostName or ipAddr, and port", {
      extensions: {
        violations: [{ location: "body", pointer: "/instance", keyword: "required", message: "lacks an address" }],
      },
    });
  }
  const metadata = Object.entries(object(instance.metadata)).filter(([key]) => !key.startsWith("@"));
  const ttlSeconds = Number(text(object(instance.leaseInfo).durationInSecs) ?? 90);
  const { zone, version } = Object.fromEntries(metadata) as { zone?: unknown; version?: unknown };
  const lastDirtyMs = Number(text(instance.lastDirtyTimestamp));
  return {
    id,
    lastDirtyMs: Number.isSafeInteger(lastDirtyMs) && lastDirtyMs > 0 ? lastDirtyMs : undefined,
    request: {
      url: `${isSecure ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`,
      status: toStatus(text(instance.status)),
      ttlSeconds,
      ...(typeof zone === "string" ? { zone } : {}),
      ...(typeof version === "string" ? { version } : {}),
      metadata: Object.fromEntries(metadata.map(([key, value]) => [key, String(value)])),
    },
  };
}

/** One instance as Eureka clients read it. */
export function toEureka(
  { service, id, url, status, ttlSeconds, metadata, registeredAt }: Registration,
  more: {
    readonly override: InstanceStatus | undefined;
    readonly lastDirtyMs: number;
    readonly actionType: string | undefined;
  },
): Json {
  const registeredMs = Date.parse(registeredAt);
  const { hostname, port, protocol } = new URL(url);
  const isSecure = protocol === "https:";
  const number = Number(port === "" ? (isSecure ? 443 : 80) : port);
  return {
    instanceId: id,
    hostName: hostname,
    app: service.toUpperCase(),
    ipAddr: hostname,
    status: fromStatus[status],
    overriddenStatus: more.override === undefined ? "UNKNOWN" : fromStatus[more.override],
    port: { $: isSecure ? 80 : number, "@enabled": String(!isSecure) },
    securePort: { $: isSecure ? number : 443, "@enabled": String(isSecure) },
    countryId: 1,
    dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
    leaseInfo: { renewalIntervalInSecs: Math.max(1, Math.floor(ttlSeconds / 3)), durationInSecs: ttlSeconds },
    metadata: metadata ?? {},
    vipAddress: service,
    secureVipAddress: service,
    lastUpdatedTimestamp: String(registeredMs),
    lastDirtyTimestamp: String(more.lastDirtyMs || registeredMs),
    actionType: more.actionType ?? "ADDED",
  };
}
