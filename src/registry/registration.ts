import type { Instance } from "../core/upstream.ts";

export type InstanceStatus = Instance["status"];

/** What a service says of one of its instances when it registers; checked against `openapi/registry.yaml`. */
export interface RegistrationRequest {
  readonly url: string;
  readonly weight?: number;
  readonly zone?: string;
  readonly version?: string;
  readonly tags?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
  readonly status?: InstanceStatus;
  readonly ttlSeconds?: number;
}

/** One registered instance: immutable, a change makes another. */
export interface Registration {
  readonly service: string;
  readonly id: string;
  readonly url: string;
  readonly weight: number;
  readonly status: InstanceStatus;
  readonly zone?: string | undefined;
  readonly version?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly ttlSeconds: number;
  /** Who registered it: the name of a token; undefined where the registry has none. */
  readonly owner?: string | undefined;
  /** Fences: a heartbeat of an earlier registration under the same id does not keep this one alive. */
  readonly lease: string;
  readonly registeredAt: string;
  /** Its lease has ended and self-preservation keeps it: to be used only where somebody finds it alive. */
  readonly unconfirmed?: boolean | undefined;
}

export const DEFAULT_TTL_SECONDS = 30;

/** @param lease fresh for each registration */
export function toRegistration(
  at: { readonly service: string; readonly id: string },
  request: RegistrationRequest,
  made: { readonly owner: string | undefined; readonly lease: string; readonly nowMs: number },
): Registration {
  return {
    service: at.service,
    id: at.id,
    url: request.url,
    weight: request.weight ?? 1,
    status: request.status ?? "up",
    zone: request.zone,
    version: request.version,
    tags: request.tags,
    metadata: request.metadata,
    ttlSeconds: request.ttlSeconds ?? DEFAULT_TTL_SECONDS,
    owner: made.owner,
    lease: made.lease,
    registeredAt: new Date(made.nowMs).toISOString(),
  };
}

const written = new WeakMap<Registration, string>();

/** As a reader of the registry sees it, without the lease, which is its holder's secret. Written once: lists are long. */
export function toPublicJson(registration: Registration): string {
  let json = written.get(registration);
  if (json === undefined) {
    const { lease: _, ...open } = registration;
    json = JSON.stringify(open);
    written.set(registration, json);
  }
  return json;
}
