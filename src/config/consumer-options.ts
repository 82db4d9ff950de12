import Type from "typebox";
import { PluginEntry } from "./plugin-entry.ts";

const ConsumerOptions = Type.Object(
  {
    groups: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), { description: "Added to those of its credential." }),
    ),
    plugins: Type.Optional(
      Type.Array(PluginEntry, {
        description: "Run for this consumer alone, once it is known, in place of the route's of the same name.",
      }),
    ),
  },
  { additionalProperties: false },
);

/** Those who call, by the name that their credential gives them. */
export const ConsumersOptions = Type.Record(Type.String(), ConsumerOptions);
export type ConsumersOptions = Type.Static<typeof ConsumersOptions>;
