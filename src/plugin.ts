/** The plugin author's door. */
export { default as Type } from "typebox";
export { isStream, readWhole } from "./core/body.ts";
export { type Clock, systemClock } from "./core/clock.ts";
export { type CredentialBook, certificateName, type KnownCredential, tokenIdentifier } from "./core/credentials.ts";
export { GatewayError } from "./core/errors.ts";
export {
  type Body,
  type Consumer,
  defineExchangeKey,
  type Exchange,
  type ExchangeKey,
  type GatewayRequest,
  type GatewayResponse,
  type Handler,
  type Next,
} from "./core/exchange.ts";
export { HeaderList } from "./core/headers.ts";
export { findMediaType, isJson } from "./core/media-type.ts";
export type { Operation, SecurityScheme } from "./core/operation.ts";
export { hashPassword, type PasswordHash, parsePasswordHash, verifyPassword } from "./core/password.ts";
export { isSameSecret } from "./core/secrets.ts";
export { type StateStore, type StoreScript, StoreUnavailable } from "./core/state-store.ts";
export { parseBytes, parsePercent, parseRate } from "./core/units.ts";
export {
  CALL_TIMEOUT_MS,
  definePlugin,
  type Logger,
  PHASES,
  type Phase,
  type Plugin,
  type PluginInstance,
  type SetupContext,
} from "./pipeline/contract.ts";
export { defineHooks, type Hooks } from "./pipeline/hooks.ts";
export { importUserCode } from "./pipeline/user-code.ts";
export { ApiKeyReader } from "./storage/api-key-file.ts";
export type { PluginMetrics } from "./telemetry/plugin-meters.ts";
