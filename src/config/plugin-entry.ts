import { Type } from "../core/type.ts";

/** `- rate-limit: { rate: 100/min }`, or a bare name for no options. */
export const PluginEntry = Type.Union([
  Type.String(),
  Type.Record(Type.String(), Type.Unknown(), { minProperties: 1, maxProperties: 1 }),
]);
export type PluginEntry = Type.Static<typeof PluginEntry>;
