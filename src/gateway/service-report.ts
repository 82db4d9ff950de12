import type { Service } from "../balancing/service.ts";

/** What the gateway knows of one service, for an operator at night. */
export interface ServiceReport {
  readonly service: string;
  /** The discovery source, or `static`. */
  readonly source: string;
  /** Since the source was last in touch; 0 while it is, null when it never was. */
  readonly ageSeconds: number | null;
  /** As discovery tells it, whatever was seen of them since. */
  readonly instances: number;
  /** One for each way in which routes balance it. */
  readonly balancing: readonly ReturnType<Service["overview"]>[];
}

const toAge = (ageMs: number): number | null => (Number.isNaN(ageMs) ? null : Math.round(ageMs) / 1000);

export const toServiceReport = (
  key: string,
  known: { readonly ageMs: number; readonly instances: number },
  services: Iterable<Service>,
): ServiceReport => {
  const list = [...services];
  const [source = "", ...rest] = key.split(" ");
  return {
    // Of a static one, the rest of the key is its list of targets.
    service: list[0]?.name ?? rest.join(" "),
    source,
    ageSeconds: toAge(known.ageMs),
    instances: known.instances,
    balancing: list.map((service) => service.overview()),
  };
};
