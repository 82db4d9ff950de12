import { Agent, request } from "undici";
import { Backoff } from "./backoff.ts";
import { readText } from "./body-text.ts";
import { EventStreamParser, type ServerEvent } from "./event-stream.ts";
import { InstanceView } from "./instance-view.ts";
import type { DiscoverySource, Watch } from "./source.ts";
import { findInstance } from "./told-instance.ts";
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
      const view = new InstanceView(listener);
      return new WatchLoop(backoff, async (signal, contact) => {
        const url = new URL(`/v1/services/${encodeURIComponent(service)}`, urls[turn++ % urls.length]);
        const response = await request(url, { dispatcher: agent, headers, signal });
        if (response.statusCode !== 200) {
          await response.body.dump();
          throw new Error(`the registry answered ${response.statusCode}`);
        }
        view.begin();
        const parser = new EventStreamParser((event) => take(view, event, contact));
        try {
          for await (const text of readText(response.body)) parser.push(text);
        } finally {
          view.flush();
        }
        throw new Error("the registry ended the watch");
      });
    },
    close: () => agent.destroy(),
  };
}

/** Takes one event over; any but the first list is a change. */
function take(view: InstanceView, { type, data }: ServerEvent, contact: () => void): void {
  if (type === "put") {
    const told = JSON.parse(data) as { readonly id: string };
    view.set(told.id, findInstance(told));
  } else if (type === "delete") {
    view.set((JSON.parse(data) as { readonly id: string }).id, undefined);
  } else if (type === "synced") {
    view.commit();
    contact();
  }
}
