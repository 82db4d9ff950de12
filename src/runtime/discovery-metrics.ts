import type { Gateway } from "../gateway/gateway.ts";

/** How old what discovery knows is, and how much it knows, as Prometheus reads it. */
export function renderDiscovery(gateway: Pick<Gateway, "knowledge">): string {
  const known = gateway.knowledge().filter(({ source }) => source !== "static");
  const family = (name: string, help: string, value: (one: (typeof known)[number]) => number): string[] => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...known.map(
      (one) => `${name}{source=${JSON.stringify(one.source)},service=${JSON.stringify(one.service)}} ${value(one)}`,
    ),
  ];
  const lines = [
    ...family(
      "portico_discovery_age_seconds",
      "Since the source was last in touch; NaN: never.",
      ({ ageMs }) => ageMs / 1000,
    ),
    ...family("portico_discovery_instances", "Instances that the source last told.", ({ instances }) => instances),
  ];
  return `${lines.join("\n")}\n`;
}
