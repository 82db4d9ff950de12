import { setTimeout as sleep } from "node:timers/promises";
import type { DecodedPacket } from "dns-packet";
import type { Instance } from "../core/upstream.ts";
import { Backoff } from "./backoff.ts";
import { type DnsServer, queryDns, toServers } from "./dns-query.ts";
import type { DiscoverySource } from "./source.ts";
import { WatchLoop } from "./watch-loop.ts";

export interface DnsSourceOptions {
  readonly servers?: readonly string[] | undefined;
  /** Stands after the service's name: petstore becomes petstore.<suffix>. */
  readonly suffix?: string | undefined;
  /** `address` asks A and AAAA, `srv` asks SRV. Default: srv for a name that starts with `_`, address for others. */
  readonly record?: "address" | "srv" | undefined;
  readonly scheme?: "http" | "https" | undefined;
  /** Of instances found by address. Default: 80, or 443 with https. */
  readonly port?: number | undefined;
}

interface Found {
  readonly instances: Instance[];
  readonly ttlSeconds: number;
}

/** A record of TTL 0 is asked for each second, one of a week each five minutes. */
const SHORTEST_SECONDS = 1;
const LONGEST_SECONDS = 300;

/** Instances from DNS: A and AAAA, or SRV with its ports and weights; asked again when the shortest TTL is over. */
export function createDnsSource(options: DnsSourceOptions): DiscoverySource {
  const servers = toServers(options.servers);
  const scheme = options.scheme ?? "http";
  const port = options.port ?? (scheme === "https" ? 443 : 80);

  return {
    name: "dns",
    watch(service, listener) {
      const name = options.suffix === undefined ? service : `${service}.${options.suffix}`;
      const isSrv = options.record === "srv" || (options.record === undefined && name.startsWith("_"));
      let told = "";
      return new WatchLoop(new Backoff(200), async (signal, contact) => {
        for (;;) {
          const { instances, ttlSeconds } = isSrv
            ? await findServices(servers, name, scheme)
            : await findAddresses(servers, name, scheme, port);
          const text = JSON.stringify(instances);
          if (text !== told) listener(instances);
          told = text;
          contact();
          const seconds = Math.min(LONGEST_SECONDS, Math.max(SHORTEST_SECONDS, ttlSeconds));
          await sleep(seconds * 1000, undefined, { signal, ref: false });
        }
      });
    },
    async close() {},
  };
}

async function findAddresses(
  servers: readonly DnsServer[],
  name: string,
  scheme: string,
  port: number,
): Promise<Found> {
  const packets = await Promise.all([queryDns(servers, name, "A"), queryDns(servers, name, "AAAA")]);
  const hosts = packets.flatMap((packet) => addressesIn(packet.answers ?? []));
  const instances = hosts.sort().map((host) => toInstance(`${scheme}://${host}:${port}`, 1));
  return { instances, ttlSeconds: shortestTtl(packets, instances.length > 0) };
}

/** RFC 2782: the lowest priority number serves; the others wait for it to vanish from the answer. */
async function findServices(servers: readonly DnsServer[], name: string, scheme: string): Promise<Found> {
  const packet = await queryDns(servers, name, "SRV");
  const records = (packet.answers ?? []).flatMap((answer) => (answer.type === "SRV" ? [answer.data] : []));
  const best = Math.min(...records.map(({ priority }) => priority ?? 0));
  const instances = records
    .filter(({ priority, target }) => (priority ?? 0) === best && target !== "." && target !== "")
    // A weight of 0 is a small share beside others, not none.
    .map(({ target, port, weight }) => toInstance(`${scheme}://${target}:${port}`, Math.max(1, weight ?? 1)))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  return { instances, ttlSeconds: shortestTtl([packet], instances.length > 0) };
}

const toInstance = (url: string, weight: number): Instance => ({ id: url, url, weight, status: "up" });

const addressesIn = (answers: NonNullable<DecodedPacket["answers"]>): string[] =>
  answers.flatMap((answer) =>
    answer.type === "A" ? [answer.data] : answer.type === "AAAA" ? [`[${answer.data}]`] : [],
  );

/** Of what was found; of nothing, what the zone says of names that are not there (RFC 2308). */
function shortestTtl(packets: readonly DecodedPacket[], isFound: boolean): number {
  const records = packets.flatMap((packet) => (isFound ? packet.answers : packet.authorities) ?? []);
  const seconds = records.map((record) => ("ttl" in record ? Number(record.ttl ?? 0) : 0));
  return seconds.length === 0 ? 5 : Math.min(...seconds);
}
