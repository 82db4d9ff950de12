import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";

/** What `PUT /v1/agent/service/register` takes. */
export interface ConsulService {
  readonly ID: string;
  readonly Name: string;
  readonly Port?: number;
  readonly Address?: string;
  readonly Tags?: readonly string[];
  readonly Meta?: Readonly<Record<string, string>>;
  readonly Weights?: { readonly Passing: number; readonly Warning: number };
}

interface Held {
  readonly index: number;
  answer(): void;
}

/**
 * A part of Consul's documented HTTP API: services are registered and listed, and a list is held back until it changes.
 * Debian has no package of Consul, so that the program itself is not at hand for tests.
 */
export class ConsulServer {
  /** What was asked of `/v1/health/service`, with the token that came along. */
  readonly asked: { url: URL; token: string | undefined }[] = [];
  /** When set, any other token is one that may read nothing. */
  token: string | undefined = undefined;
  private readonly services = new Map<string, ConsulService>();
  private readonly held = new Set<Held>();
  private index = 10;
  private port = 0;
  private server: Server | undefined = undefined;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.server = createServer((request, response) => void this.handle(request, response));
    this.server.listen(this.port, "127.0.0.1");
    await once(this.server, "listening");
    this.port = (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    this.server = undefined;
    this.held.clear();
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }

  /** As after a restore from an old snapshot: other services, and an index that counts from further back. */
  restore(index: number, services: readonly ConsulService[]): void {
    this.services.clear();
    for (const service of services) this.services.set(service.ID, service);
    this.index = index;
    // The wait of those who ask ends some time, and then they are told an index lower than their own.
    for (const { answer } of this.held) answer();
  }

  get waiting(): number {
    return this.held.size;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    const word = `${request.method} ${url.pathname}`;
    if (word === "PUT /v1/agent/service/register") {
      const service = JSON.parse(await text(request)) as ConsulService;
      this.services.set(service.ID, service);
      this.change();
      response.end();
    } else if (word.startsWith("PUT /v1/agent/service/deregister/")) {
      this.services.delete(word.slice(word.lastIndexOf("/") + 1));
      this.change();
      response.end();
    } else if (word.startsWith("GET /v1/health/service/")) {
      this.list(url, request, response);
    } else response.writeHead(404).end();
  }

  private change(): void {
    this.index++;
    for (const { index, answer } of this.held) if (this.index > index) answer();
  }

  private list(url: URL, request: IncomingMessage, response: ServerResponse): void {
    const token = request.headers["x-consul-token"] as string | undefined;
    this.asked.push({ url, token });
    const name = decodeURIComponent(url.pathname.slice("/v1/health/service/".length));
    const index = Number(url.searchParams.get("index") ?? 0);
    const waitMs = Number(/^(\d+)ms$/.exec(url.searchParams.get("wait") ?? "")?.[1] ?? 300_000);
    const answer = (): void => {
      clearTimeout(timer);
      this.held.delete(held);
      const mayRead = this.token === undefined || this.token === token;
      const all = this.find(name, url.searchParams.get("tag"));
      response.setHeader("x-consul-index", this.index);
      if (!mayRead && all.length > 0) response.setHeader("x-consul-results-filtered-by-acls", "true");
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(mayRead ? all : []));
    };
    const held: Held = { index, answer };
    const timer = index > 0 && this.index <= index ? setTimeout(answer, waitMs) : undefined;
    if (timer === undefined) {
      answer();
      return;
    }
    this.held.add(held);
    response.on("close", () => {
      clearTimeout(timer);
      this.held.delete(held);
    });
  }

  private find(name: string, tag: string | null): object[] {
    return [...this.services.values()]
      .filter((service) => service.Name === name && (tag === null || service.Tags?.includes(tag) === true))
      .map(({ ID, Name, Address = "", Port = 0, Tags = [], Meta = {}, Weights = { Passing: 1, Warning: 1 } }) => ({
        Node: { ID: "40e4a748", Node: "foobar", Address: "10.1.10.12", Datacenter: "dc1" },
        Service: { ID, Service: Name, Tags, Address, Meta, Port, Weights },
        Checks: [{ Node: "foobar", CheckID: `service:${ID}`, Status: "passing", ServiceID: ID }],
      }));
  }
}

export async function startConsul(t: TestContext): Promise<ConsulServer> {
  const server = new ConsulServer();
  await server.start();
  t.after(() => server.stop());
  return server;
}

export async function registerAtConsul({ url }: ConsulServer, service: ConsulService): Promise<void> {
  await fetch(`${url}/v1/agent/service/register`, { method: "PUT", body: JSON.stringify(service) });
}

export async function deregisterAtConsul({ url }: ConsulServer, id: string): Promise<void> {
  await fetch(`${url}/v1/agent/service/deregister/${id}`, { method: "PUT" });
}
