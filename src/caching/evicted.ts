import { type CacheEvent, channels } from "../core/channels.ts";

/** Tells that an answer made room for others in a store: nobody asked for it. @param operation as metrics name it */
export function tellEvicted(operation: string, bytes: number): void {
  if (!channels.cache.hasSubscribers) return;
  channels.cache.publish({ exchange: undefined, operation, event: "evicted", bytes } satisfies CacheEvent);
}
