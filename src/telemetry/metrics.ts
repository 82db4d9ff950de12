import { monitorEventLoopDelay } from "node:perf_hooks";
import {
  type CacheEvent,
  channels,
  type ExchangeEnd,
  type UpstreamTry,
  type ValidationFinding,
} from "../core/channels.ts";
import type { Exchange } from "../core/exchange.ts";
import { nameOf, type Operation } from "../core/operation.ts";

/** Upper bounds of the latency histogram, in seconds: from a cache hit to a timeout. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What is counted of one operation; plain numbers, because it is written once a request. */
interface OperationMetrics {
  readonly name: string;
  readonly statuses: Map<number, number>;
  readonly buckets: Float64Array;
  seconds: number;
  count: number;
  readonly cache: Map<CacheEvent["event"], { count: number; bytes: number }>;
  readonly findings: { request: number; response: number };
}
interface ServiceMetrics {
  readonly outcomes: Map<string, number>;
}

/** Counters of what the channels publish, as Prometheus reads them. Costs a request a map look-up and an addition. */
export class Metrics {
  private readonly byOperation = new Map<string, OperationMetrics>();
  private readonly byService = new Map<string, ServiceMetrics>();
  private readonly loop = monitorEventLoopDelay({ resolution: 20 });
  private readonly subscriptions: (() => void)[] = [];

  /** Starts to count. @param gateway of which one: others of the process have counters of their own. Default: of all */
  start(gateway?: string): void {
    this.loop.enable();
    const isOwn = ({ exchange }: { exchange: Exchange | undefined }): boolean =>
      gateway === undefined || exchange === undefined || exchange.gateway === gateway;
    this.subscribe(channels.exchangeEnd, (message) => {
      if (isOwn(message as ExchangeEnd)) this.countExchange(message as ExchangeEnd);
    });
    this.subscribe(channels.upstreamTry, (message) => {
      if (isOwn(message as UpstreamTry)) this.countTry(message as UpstreamTry);
    });
    this.subscribe(channels.cache, (message) => {
      if (isOwn(message as CacheEvent)) this.countCache(message as CacheEvent);
    });
    this.subscribe(channels.validation, (message) => {
      if (isOwn(message as ValidationFinding)) this.countFinding(message as ValidationFinding);
    });
  }

  close(): void {
    this.loop.disable();
    for (const unsubscribe of this.subscriptions.splice(0)) unsubscribe();
  }

  /** The text format of Prometheus, version 0.0.4. */
  render(): string {
    const lines: string[] = [];
    family(lines, "portico_requests_total", "counter", "Requests answered, by operation and status.");
    for (const { name, statuses } of this.byOperation.values()) {
      for (const [status, count] of statuses)
        sample(lines, "portico_requests_total", { operation: name, status }, count);
    }
    family(lines, "portico_request_seconds", "histogram", "From request line to the end of the answer.");
    for (const metrics of this.byOperation.values()) renderHistogram(lines, metrics);
    family(lines, "portico_cache_events_total", "counter", "What the cache did, by operation.");
    for (const { name, cache } of this.byOperation.values()) {
      for (const [event, { count }] of cache)
        sample(lines, "portico_cache_events_total", { operation: name, event }, count);
    }
    family(lines, "portico_cache_bytes_total", "counter", "Bytes of the bodies that those were about.");
    for (const { name, cache } of this.byOperation.values()) {
      for (const [event, { bytes }] of cache)
        sample(lines, "portico_cache_bytes_total", { operation: name, event }, bytes);
    }
    family(lines, "portico_validation_findings_total", "counter", "Messages that differ from the spec.");
    for (const { name, findings } of this.byOperation.values()) {
      for (const [side, count] of Object.entries(findings)) {
        if (count > 0) sample(lines, "portico_validation_findings_total", { operation: name, side }, count);
      }
    }
    family(lines, "portico_upstream_tries_total", "counter", "Tries made of each service, by outcome.");
    for (const [service, { outcomes }] of this.byService) {
      for (const [outcome, count] of outcomes)
        sample(lines, "portico_upstream_tries_total", { service, outcome }, count);
    }
    family(lines, "portico_event_loop_delay_seconds", "gauge", "99th percentile since the last read.");
    sample(lines, "portico_event_loop_delay_seconds", {}, this.loop.percentile(99) / 1e9);
    this.loop.reset();
    family(lines, "process_resident_memory_bytes", "gauge", "Resident memory.");
    sample(lines, "process_resident_memory_bytes", {}, process.memoryUsage.rss());
    return `${lines.join("\n")}\n`;
  }

  private subscribe(channel: (typeof channels)[keyof typeof channels], onMessage: (message: unknown) => void): void {
    channel.subscribe(onMessage);
    this.subscriptions.push(() => channel.unsubscribe(onMessage));
  }

  private countExchange({ exchange, status, durationMs }: ExchangeEnd): void {
    const metrics = this.of(exchange.operation);
    const seconds = durationMs / 1000;
    metrics.count++;
    metrics.seconds += seconds;
    metrics.statuses.set(status, (metrics.statuses.get(status) ?? 0) + 1);
    let i = 0;
    while (i < BUCKETS.length && seconds > (BUCKETS[i] as number)) i++;
    metrics.buckets[i] = (metrics.buckets[i] ?? 0) + 1;
  }

  private countTry({ endpoint, outcome }: UpstreamTry): void {
    let metrics = this.byService.get(endpoint.service);
    if (metrics === undefined) {
      metrics = { outcomes: new Map() };
      this.byService.set(endpoint.service, metrics);
    }
    metrics.outcomes.set(outcome.kind, (metrics.outcomes.get(outcome.kind) ?? 0) + 1);
  }

  private countCache({ operation, event, bytes }: CacheEvent): void {
    const { cache } = this.named(operation);
    const counted = cache.get(event);
    if (counted === undefined) {
      cache.set(event, { count: 1, bytes });
      return;
    }
    counted.count++;
    counted.bytes += bytes;
  }

  private countFinding({ exchange, side }: ValidationFinding): void {
    this.of(exchange.operation).findings[side]++;
  }

  /** By public name, so that a reload goes on counting. Requests that match nothing share one: a scanner cannot fill memory. */
  private of(operation: Operation | undefined): OperationMetrics {
    return this.named(operation === undefined ? "none" : nameOf(operation));
  }

  private named(name: string): OperationMetrics {
    let metrics = this.byOperation.get(name);
    if (metrics === undefined) {
      metrics = {
        name,
        statuses: new Map(),
        buckets: new Float64Array(BUCKETS.length + 1),
        seconds: 0,
        count: 0,
        cache: new Map(),
        findings: { request: 0, response: 0 },
      };
      this.byOperation.set(name, metrics);
    }
    return metrics;
  }
}

function renderHistogram(lines: string[], { name, buckets, seconds, count }: OperationMetrics): void {
  let below = 0;
  for (const [i, bound] of BUCKETS.entries()) {
    below += buckets[i] as number;
    sample(lines, "portico_request_seconds_bucket", { operation: name, le: bound }, below);
  }
  sample(lines, "portico_request_seconds_bucket", { operation: name, le: "+Inf" }, count);
  sample(lines, "portico_request_seconds_sum", { operation: name }, seconds);
  sample(lines, "portico_request_seconds_count", { operation: name }, count);
}

function family(lines: string[], name: string, type: string, help: string): void {
  lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
}

function sample(lines: string[], name: string, labels: Record<string, string | number>, value: number): void {
  const text = Object.entries(labels).map(([key, label]) => `${key}="${escapeLabel(String(label))}"`);
  lines.push(`${name}${text.length === 0 ? "" : `{${text.join(",")}}`} ${value}`);
}

const escapeLabel = (text: string): string =>
  text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
