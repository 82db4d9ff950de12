import { Turn } from "../core/slices.ts";
import { Backoff } from "./backoff.ts";
import { EtcdClient } from "./etcd-client.ts";
import type { EtcdSecurity } from "./etcd-security.ts";
import { InstanceView } from "./instance-view.ts";
import type { DiscoverySource } from "./source.ts";
import { findInstance } from "./told-instance.ts";
import { WatchLoop } from "./watch-loop.ts";

export interface EtcdSourceOptions {
  readonly endpoints?: readonly string[] | undefined;
  /** Keys are `<prefix><service>/<id>`; values a URL, or an instance in JSON. Default: /services/ */
  readonly prefix?: string | undefined;
  readonly security?: EtcdSecurity | undefined;
}

/** A quorum is asked this often, so that a member cut off from the others is noticed, and another one taken. */
const PROBE_MS = 2_000;

/** Instances from keys of etcd, followed by etcd's own watch. */
export function createEtcdSource(options: EtcdSourceOptions): DiscoverySource {
  const client = new EtcdClient(options.endpoints ?? ["http://127.0.0.1:2379"], options.security);
  const prefix = options.prefix ?? "/services/";

  return {
    name: "etcd",
    watch(service, listener) {
      const own = `${prefix}${service}/`;
      const view = new InstanceView(listener);
      const put = (key: string, value: string): void =>
        view.set(key, findInstance(parseValue(value), key.slice(own.length)));
      return new WatchLoop(new Backoff(), async (closed, contact) => {
        const broken = new AbortController();
        const signal = AbortSignal.any([closed, broken.signal]);
        const { revision, entries } = await client.range(own);
        view.begin();
        const turn = new Turn();
        for (const { key, value } of entries) {
          put(key, value);
          if (turn.isOver) await turn.pass();
        }
        view.commit();
        contact();
        const rest = client.watchOver(own, PROBE_MS, { answer() {}, lost: () => broken.abort() });
        try {
          return await client.watch(own, revision + 1, signal, {
            start() {},
            events(events) {
              for (const { kind, entry } of events) {
                if (kind === "put") put(entry.key, entry.value);
                else view.set(entry.key, undefined);
              }
            },
          });
        } finally {
          view.flush();
          rest();
        }
      });
    },
    close: () => client.close(),
  };
}

function parseValue(text: string): unknown {
  if (!text.trimStart().startsWith("{")) return text.trim();
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
