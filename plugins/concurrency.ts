import { finished } from "node:stream";
import { definePlugin, GatewayError, isStream, Type } from "../src/plugin.ts";
import { keyByAll } from "./limiting/caller-key.ts";

export default definePlugin({
  name: "concurrency",
  phase: "limit",
  // A queue has its own limit in time.
  callTimeoutMs: 0,
  options: Type.Object(
    {
      max: Type.Integer({
        minimum: 1,
        description: "Requests under way at once, from the request until its answer has been sent.",
      }),
      by: Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })], {
        default: "consumer",
        description: "What is counted apart, as for rate-limit; route counts all callers together.",
      }),
      queue: Type.Integer({ default: 0, minimum: 0, description: "Requests that wait for a place, each in its turn." }),
      queueMs: Type.Integer({ default: 1_000, minimum: 1, description: "How long a request waits for a place." }),
    },
    { additionalProperties: false },
  ),
  async setup({ options, clock, kept }) {
    const keyOf = await keyByAll(options.by);
    const places = kept(() => new Map<string, Place>());

    function leave(key: string, place: Place): void {
      const waiting = place.queue.shift();
      // The place goes to who waits: the count stays.
      if (waiting !== undefined) waiting();
      else if (--place.taken === 0) places.delete(key);
    }

    function wait(place: Place): Promise<boolean> {
      return new Promise((resolve) => {
        const enter = (): void => {
          cancel();
          resolve(true);
        };
        const cancel = clock.after(options.queueMs, () => {
          const i = place.queue.indexOf(enter);
          if (i < 0) return;
          place.queue.splice(i, 1);
          resolve(false);
        });
        place.queue.push(enter);
      });
    }

    return async function limitConcurrency(exchange, next) {
      const key = keyOf(exchange);
      let place = places.get(key);
      if (place === undefined) {
        place = { taken: 0, queue: [] };
        places.set(key, place);
      }
      if (place.taken < options.max) place.taken++;
      else if (place.queue.length >= options.queue || !(await wait(place))) throw tooMany(options.max);
      const mine = place;
      let isHeld = true;
      const release = (): void => {
        if (!isHeld) return;
        isHeld = false;
        leave(key, mine);
      };
      try {
        const response = await next(exchange);
        if (isStream(response.body)) finished(response.body, release);
        else release();
        return response;
      } catch (error) {
        release();
        throw error;
      }
    };
  },
});

interface Place {
  taken: number;
  readonly queue: (() => void)[];
}

const tooMany = (max: number): GatewayError =>
  new GatewayError("CONCURRENCY_LIMITED", `at most ${max} requests at once`, { headers: { "Retry-After": "1" } });
