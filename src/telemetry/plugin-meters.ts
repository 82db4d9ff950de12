/** What a plugin is given to count with; `labels` are fixed when it is made, so that no request can add a series. */
export interface PluginMetrics {
  /** A sum that only grows; by convention its name ends in `_total`. */
  counter(name: string, help: string, labels?: Labels): { add(by?: number): void };
  /** A value that goes up and down. */
  gauge(name: string, help: string, labels?: Labels): { set(value: number): void };
  /** How often which duration, in seconds; by convention its name ends in `_seconds`. */
  histogram(name: string, help: string, labels?: Labels): { observe(seconds: number): void };
}
export type Labels = Readonly<Record<string, string>>;

type Kind = "counter" | "gauge" | "histogram";

interface Family {
  readonly kind: Kind;
  readonly help: string;
  readonly series: Map<string, Series>;
}

/** Upper bounds, in seconds. */
const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
const NAME = /^[a-z][a-z0-9_]*$/;

class Series {
  value = 0;
  count = 0;
  readonly labels: string;
  readonly buckets: Float64Array | undefined;

  constructor(labels: string, kind: Kind) {
    this.labels = labels;
    this.buckets = kind === "histogram" ? new Float64Array(BUCKETS.length + 1) : undefined;
  }

  add(by = 1): void {
    if (by > 0) this.value += by;
  }

  set(value: number): void {
    this.value = value;
  }

  observe(seconds: number): void {
    const { buckets } = this;
    if (buckets === undefined) return;
    let i = 0;
    while (i < BUCKETS.length && seconds > (BUCKETS[i] as number)) i++;
    buckets[i] = (buckets[i] as number) + 1;
    this.value += seconds;
    this.count++;
  }
}

/** The metrics of plugins, as Prometheus reads them: `portico_plugin_<name>{plugin, operation, …}`. They outlive a reload. */
export class PluginMeters {
  private readonly families = new Map<string, Family>();

  /** @param operation as other metrics name it: `GET /orders/{id}` */
  of(plugin: string, operation: string): PluginMetrics {
    const own = { plugin, operation };
    return {
      counter: (name, help, labels) => this.series("counter", name, help, { ...own, ...labels }),
      gauge: (name, help, labels) => this.series("gauge", name, help, { ...own, ...labels }),
      histogram: (name, help, labels) => this.series("histogram", name, help, { ...own, ...labels }),
    };
  }

  /** The text format of Prometheus; empty when no plugin measures anything. */
  render(): string {
    const lines: string[] = [];
    for (const [name, { kind, help, series }] of this.families) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`);
      for (const one of series.values()) renderSeries(lines, name, one);
    }
    return lines.map((line) => `${line}\n`).join("");
  }

  /** @throws Error when the name is no metric's, or is another plugin's of another kind */
  private series(kind: Kind, name: string, help: string, labels: Labels): Series {
    for (const each of [name, ...Object.keys(labels)]) {
      if (!NAME.test(each)) throw new Error(`${each} names no metric or label; write lower-case letters, digits and _`);
    }
    const full = `portico_plugin_${name}`;
    let family = this.families.get(full);
    if (family === undefined) {
      family = { kind, help: help.replaceAll("\n", " "), series: new Map() };
      this.families.set(full, family);
    }
    if (family.kind !== kind) throw new Error(`the metric ${name} is a ${family.kind} already`);
    const key = Object.entries(labels)
      .map(([label, value]) => `${label}="${escapeLabel(value)}"`)
      .join(",");
    let found = family.series.get(key);
    if (found === undefined) {
      found = new Series(key, kind);
      family.series.set(key, found);
    }
    return found;
  }
}

function renderSeries(lines: string[], name: string, { labels, value, count, buckets }: Series): void {
  if (buckets === undefined) {
    lines.push(`${name}{${labels}} ${value}`);
    return;
  }
  let below = 0;
  for (const [i, bound] of [...BUCKETS, "+Inf"].entries()) {
    below += buckets[i] as number;
    lines.push(`${name}_bucket{${labels},le="${bound}"} ${below}`);
  }
  lines.push(`${name}_sum{${labels}} ${value}`, `${name}_count{${labels}} ${count}`);
}

const escapeLabel = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
