import { isIPv6 } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";
import type { Instance } from "../core/upstream.ts";
import { Backoff } from "./backoff.ts";
import { readText } from "./body-text.ts";
import { InstanceView } from "./instance-view.ts";
import { JsonListParser } from "./json-list.ts";
import type { DiscoverySource } from "./source.ts";
import { findInstance } from "./told-instance.ts";
import { WatchLoop } from "./watch-loop.ts";

export interface ConsulSourceOptions {
  /** Of an agent, with the path under which it stands if there is one. Default: http://127.0.0.1:8500 */
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly datacenter?: string | undefined;
  /** Only instances with this tag. */
  readonly tag?: string | undefined;
  /** How long Consul holds a question to which nothing has changed. Default: 30. */
  readonly waitSeconds?: number | undefined;
  /** Of instances that do not say. Default: http */
  readonly scheme?: "http" | "https" | undefined;
  /** Tag of instances that speak HTTPS. Default: tls */
  readonly tlsTag?: string | undefined;
}

/** What `/v1/health/service/{name}` lists, as far as it is used here. */
interface ConsulEntry {
  readonly Node?: { readonly Node?: string; readonly Address?: string };
  readonly Service?: {
    readonly ID?: string;
    readonly Address?: string;
    readonly Port?: number;
    readonly Tags?: readonly string[] | null;
    readonly Meta?: Readonly<Record<string, string>> | null;
    readonly Weights?: { readonly Passing?: number } | null;
  };
}

interface Answer {
  readonly index: number;
  readonly entries: readonly Instance[];
}

/** Consul adds up to a sixteenth to the wait, so that many questions do not end at once; the rest is for the way. */
const silenceMs = (waitSeconds: number): number => Math.ceil(waitSeconds * 1000 * (1 + 1 / 16)) + 5_000;

/** Changes that come closer together than this are told together; an agent that does not wait is not run over either. */
const PAUSE_MS = 50;

/** Instances that pass Consul's health checks, followed by its blocking queries. */
export function createConsulSource(options: ConsulSourceOptions): DiscoverySource {
  const { token, datacenter, tag, waitSeconds = 30 } = options;
  const agent = new Agent({
    connect: { timeout: 2_000 },
    headersTimeout: silenceMs(waitSeconds),
    bodyTimeout: 10_000,
  });
  const base = (options.url ?? "http://127.0.0.1:8500").replace(/\/+$/, "");
  const headers = token === undefined ? {} : { "x-consul-token": token };

  /** @param index what is known already; 0 is answered at once */
  const ask = async (service: string, index: number, signal: AbortSignal): Promise<Answer> => {
    const url = new URL(`${base}/v1/health/service/${encodeURIComponent(service)}?passing=1`);
    if (datacenter !== undefined) url.searchParams.set("dc", datacenter);
    if (tag !== undefined) url.searchParams.set("tag", tag);
    if (index > 0) {
      url.searchParams.set("index", String(index));
      url.searchParams.set("wait", `${Math.ceil(waitSeconds * 1000)}ms`);
    }
    const response = await request(url, { dispatcher: agent, headers, signal });
    if (response.statusCode !== 200) {
      await response.body.dump();
      throw new Error(`Consul answered ${response.statusCode}`);
    }
    const told = Number(response.headers["x-consul-index"]);
    if (!Number.isFinite(told)) throw new Error("that is no answer of Consul's");
    const entries: Instance[] = [];
    let count = 0;
    const parser = new JsonListParser((entry) => {
      count++;
      const instance = toInstance(entry as ConsulEntry, options);
      if (instance !== undefined) entries.push(instance);
    });
    for await (const text of readText(response.body)) parser.push(text);
    parser.end();
    // A token that ended lists nothing: that is a failure, and no service without instances.
    if (count === 0 && response.headers["x-consul-results-filtered-by-acls"] === "true") {
      throw new Error("the token may not read the service");
    }
    // Some versions have told 0, with which no question would wait.
    return { index: Math.max(1, told), entries };
  };

  return {
    name: "consul",
    watch(service, listener) {
      const view = new InstanceView(listener);
      return new WatchLoop(new Backoff(), async (signal, contact) => {
        let index = 0;
        for (;;) {
          const answer = await ask(service, index, signal);
          if (answer.index !== index) {
            view.begin();
            for (const instance of answer.entries) view.set(instance.id, instance);
            view.commit();
          }
          contact();
          // An index that goes back belongs to another history, of a cluster restored: the old one could wait for ever.
          index = answer.index < index ? 0 : answer.index;
          await sleep(PAUSE_MS, undefined, { signal, ref: false });
        }
      });
    },
    close: () => agent.destroy(),
  };
}

/** An instance without an address of its own lives at its node's. @returns undefined for one that cannot be called */
function toInstance({ Node, Service }: ConsulEntry, options: ConsulSourceOptions): Instance | undefined {
  const address = Service?.Address || Node?.Address || "";
  const host = isIPv6(address) ? `[${address}]` : address;
  if (!Service?.Port || !/^(\[[\da-f:.]+\]|[\w.-]+)$/i.test(host)) return undefined;
  const metadata = Service.Meta ?? {};
  const tags = Service.Tags ?? [];
  const scheme = findScheme(metadata.scheme, tags, options);
  // The identifier of a service is its node's own matter: two nodes may use the same.
  const id = `${Node?.Node ?? address}/${Service.ID ?? Service.Port}`;
  return findInstance({
    id,
    url: `${scheme}://${host}:${Service.Port}`,
    weight: Service.Weights?.Passing,
    zone: metadata.zone,
    version: metadata.version,
    tags,
    metadata,
  });
}

function findScheme(told: string | undefined, tags: readonly string[], options: ConsulSourceOptions): string {
  if (told === "http" || told === "https") return told;
  return tags.includes(options.tlsTag ?? "tls") ? "https" : (options.scheme ?? "http");
}
