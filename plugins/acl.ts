import { type Consumer, defineHooks, definePlugin, GatewayError, Type } from "../src/plugin.ts";

const names = (description: string) =>
  Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description }));

/** Which consumers may use an operation, by group or by name. Denial wins; who is nobody is let in by nothing. */
export default definePlugin({
  name: "acl",
  phase: "authorize",
  options: Type.Object({
    allowGroups: names("Groups of which one is needed, where no consumer is allowed by name."),
    denyGroups: names("Groups that are refused, whatever else they are in."),
    allowConsumers: names("Consumers that are allowed, whatever their groups."),
    denyConsumers: names("Consumers that are refused."),
  }),
  setup({ options }) {
    if (Object.values(options).every((names) => names === undefined)) {
      throw new Error("write at least one of allowGroups, denyGroups, allowConsumers, denyConsumers");
    }
    const allowed = { groups: new Set(options.allowGroups), names: new Set(options.allowConsumers) };
    const denied = { groups: new Set(options.denyGroups), names: new Set(options.denyConsumers) };
    const hasAllowList = options.allowGroups !== undefined || options.allowConsumers !== undefined;

    return defineHooks({
      onRequest({ consumer }) {
        const isAllowed =
          consumer !== undefined && !isIn(consumer, denied) && (!hasAllowList || isIn(consumer, allowed));
        if (!isAllowed) throw new GatewayError("FORBIDDEN", "this consumer may not use the operation");
      },
    });
  },
});

interface Lists {
  readonly groups: ReadonlySet<string>;
  readonly names: ReadonlySet<string>;
}

const isIn = (consumer: Consumer, lists: Lists): boolean =>
  lists.names.has(consumer.name) || (consumer.groups?.some((group) => lists.groups.has(group)) ?? false);
