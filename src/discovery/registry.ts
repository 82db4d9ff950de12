import { Agent, request } from "undici";
import type { Instance } from "../core/upstream.ts";
import { Backoff } from "./backoff.ts";
import { EventStreamParser, type ServerEvent } from "./event-stream.ts";
import type { DiscoverySource, InstanceListener, Watch } from "./source.ts";
import { WatchLoop } from "./watch-loop.ts";

export interface RegistrySourceOptions {
  /** Base URLs of registry processes; the next is tried when one does not answer. */
  readonly urls: readonly string[];
  readonly token?: string | undefined;
}

/** A registry pings every 5 s: this long without a word, and the connection is dead. */
const SILENCE_MS = 15_000;

/** Instances from Portico's registry, told as they change over one event stream for each service. */
export function createRegistrySource({ urls, token }: RegistrySourceOptions): DiscoverySource {
  const agent = new Agent({ connect: { timeout: 2_000 }, headersTimeout: 5_000, bodyTimeout: SILENCE_MS });
  const headers = {
    accept: "text/event-stream",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };

  return {
    name: "registry",
    watch(service, listener): Watch {
      let turn = 0;
      const backoff = new Backoff();
      return new WatchLoop(backoff, async (signal, contact) => {
        const url = new URL(`/v1/services/${encodeURIComponent(service)}`, urls[turn++ % urls.length]);
        const response = await request(url, { dispatcher: agent, headers, signal });
        if (response.statusCode !== 200) {
          await response.body.dump();
          throw new Error(`the registry answered ${response.statusCode}`);
        }
        const view = new ServiceView(listener, contact);
        const parser = new EventStreamParser((event) => view.take(event));
        response.body.setEncoding("utf8");
        try {
          for await (const text of response.body) parser.push(text as string);
        } finally {
          view.close();
        }
        throw new Error("the registry ended the watch");
      });
    },
    close: () => agent.destroy(),
  };
}

/** A list as long as this costs milliseconds to take over: changes that come close together are told together. */
const SETTLE_MS_PER_INSTANCE = 0.05;

/** What one event stream has told of a service. */
class ServiceView {
  private readonly instances = new Map<string, Instance>();
  private readonly listener: InstanceListener;
  private readonly contact: () => void;
  private isSynced = false;
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(listener: InstanceListener, contact: () => void) {
    this.listener = listener;
    this.contact = contact;
  }

  take({ type, data }: ServerEvent): void {
    if (type === "put") {
      const instance = JSON.parse(data) as Instance;
      this.instances.set(instance.id, instance);
    } else if (type === "delete") {
      this.instances.delete((JSON.parse(data) as Instance).id);
    } else if (type === "synced") {
      this.isSynced = true;
      this.tell();
      return;
    } else return;
    if (this.isSynced && this.timer === undefined) {
      const delayMs = Math.min(500, this.instances.size * SETTLE_MS_PER_INSTANCE);
      this.timer = setTimeout(() => this.tell(), delayMs);
    }
  }

  close(): void {
    if (this.timer !== undefined) this.tell();
  }

  private tell(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.listener([...this.instances.values()]);
    this.contact();
  }
}
