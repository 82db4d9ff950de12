/** The programmatic door. */
export { ConfigError, type Problem } from "./config/problem.ts";
export type { PorticoOptions, RouteOptions } from "./config/schema.ts";
export { createGateway, type Gateway, type GatewayOptions } from "./gateway/gateway.ts";
