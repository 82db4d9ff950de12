/** The programmatic door. */
export { ConfigError, type Problem } from "./config/problem.ts";
export type { PorticoOptions, RouteOptions } from "./config/schema.ts";
export type { Gateway, GatewayOptions } from "./gateway/gateway.ts";
export { createGateway, type Portico } from "./runtime/portico.ts";
