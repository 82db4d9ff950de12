import type { Gateway } from "../gateway/gateway.ts";

/** How old what discovery knows is, and how much it knows, as Prometheus reads it. */
export function renderDiscovery(gateway: Pick<Gateway, "knowledge" | "services">): string {
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
    "# HELP portico_upstream_instances Instances by state: up, or why they get no new work.",
    "# TYPE portico_upstream_instances gauge",
    ...countStates(gateway),
  ];
  return `${lines.join("\n")}\n`;
}

/** A service that routes balance in several ways counts once: its worst view of an instance is not told twice. */
function countStates(gateway: Pick<Gateway, "services">): string[] {
  return gateway.services().flatMap(({ service, source, balancing: [first] }) => {
    const counts = new Map<string, number>();
    for (const { state } of first?.instances ?? []) counts.set(state, (counts.get(state) ?? 0) + 1);
    const labels = `source=${JSON.stringify(source)},service=${JSON.stringify(service)}`;
    return [...counts].map(
      ([state, count]) => `portico_upstream_instances{${labels},state=${JSON.stringify(state)}} ${count}`,
    );
  });
}
