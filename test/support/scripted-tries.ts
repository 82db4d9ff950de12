import type { Service } from "../../src/balancing/service.ts";
import type { Exchange, GatewayResponse } from "../../src/core/exchange.ts";
import { HeaderList } from "../../src/core/headers.ts";
import type { Endpoint } from "../../src/core/upstream.ts";
import type { TryOnce } from "../../src/forwarding/try.ts";
import { toOutcome } from "../../src/forwarding/try-error.ts";
import { UpstreamError } from "../../src/forwarding/upstream-error.ts";

/** What a try comes to: a status, an error, `never` for no answer until it is ended. */
export type Script = number | Error | "never" | { status: number; headers: Record<string, string> };

export const refused = (): Error => Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
export const broken = (): Error => new UpstreamError("broken", "the other side closed");

/** A try without a network: answers as the script says for the nth try, the last one again and again. */
export function scriptTries(
  service: Service,
  scriptOf: (endpoint: Endpoint, tryNumber: number) => Script,
): { tryOnce: TryOnce; asked: string[]; ended: string[] } {
  const asked: string[] = [];
  const ended: string[] = [];
  const tryOnce: TryOnce = (_exchange: Exchange, endpoint, control) =>
    new Promise<GatewayResponse>((resolve, reject) => {
      asked.push(endpoint.instance.id);
      const fail = (error: Error): void => {
        service.report(endpoint, { kind: toOutcome(error) });
        reject(error);
      };
      control?.attach((error) => {
        ended.push(endpoint.instance.id);
        fail(error);
      });
      const script = scriptOf(endpoint, asked.length);
      if (script === "never") return;
      if (script instanceof Error) {
        fail(script);
        return;
      }
      const { status, headers } = typeof script === "number" ? { status: script, headers: {} } : script;
      service.report(endpoint, { kind: "response", status, latencyMs: 1 });
      resolve({ status, headers: HeaderList.from(headers), body: null });
    });
  return { tryOnce, asked, ended };
}
