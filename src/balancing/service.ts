import type { Exchange } from "../core/exchange.ts";
import type { Endpoint, Instance, Outcome } from "../core/upstream.ts";

/** The instances of one service as the gateway uses them: what discovery says, and what was seen of each. */
export class Service {
  readonly name: string;
  private endpoints: readonly Endpoint[] = [];
  private turn = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Takes discovery's word; keeps what was seen of instances that stay. */
  update(instances: readonly Instance[]): void {
    const known = new Map(
      this.endpoints.map((endpoint) => [`${endpoint.instance.id} ${endpoint.instance.url}`, endpoint]),
    );
    this.endpoints = instances.map((instance) => {
      const endpoint = known.get(`${instance.id} ${instance.url}`);
      if (endpoint === undefined) return createEndpoint(this.name, instance);
      endpoint.instance = instance;
      return endpoint;
    });
  }

  /** @returns undefined when no instance can take work @param tried are passed over while another is left */
  pick(_exchange: Exchange, tried: readonly Endpoint[]): Endpoint | undefined {
    const { endpoints } = this;
    for (let i = 0; i < endpoints.length; i++) {
      this.turn = (this.turn + 1) % endpoints.length;
      const endpoint = endpoints[this.turn] as Endpoint;
      if (endpoint.instance.status === "up" && endpoint.instance.weight > 0 && !tried.includes(endpoint)) {
        endpoint.inFlight++;
        return endpoint;
      }
    }
    return undefined;
  }

  report(endpoint: Endpoint, _outcome: Outcome): void {
    endpoint.inFlight--;
  }
}

function createEndpoint(service: string, instance: Instance): Endpoint {
  const url = new URL(instance.url);
  return { service, instance, origin: url.origin, basePath: url.pathname.replace(/\/+$/, ""), inFlight: 0 };
}
