import type { Exchange, Handler } from "../core/exchange.ts";
import { findCookie } from "./hash-key.ts";
import { LeastBusy } from "./least-busy.ts";
import { Member } from "./member.ts";
import type { BalanceOptions } from "./options.ts";
import type { Policy } from "./policy.ts";

export const cookieNameOf = ({ cookie = "portico-instance" }: BalanceOptions): string => cookie;

/** The instance that a cookie names, while it may be chosen; the less busy of two for all others. */
export class Sticky implements Policy {
  private readonly byToken: ReadonlyMap<number, Member>;
  private readonly others: LeastBusy;
  private readonly cookie: string;

  constructor(members: readonly Member[], cookie: string) {
    this.byToken = new Map(members.map((member) => [member.token, member]));
    this.others = new LeastBusy(members);
    this.cookie = cookie;
  }

  pick(exchange: Exchange, round: number): Member {
    const token = round === 0 ? findCookie(exchange, this.cookie) : undefined;
    const member = token === undefined ? undefined : this.byToken.get(Number.parseInt(token, 36));
    return member ?? this.others.pick(exchange, round);
  }
}

/**
 * Tells the browser which instance answered. It stands outside the cache: a stored answer that carried the cookie would
 * send everybody to one instance. An answer from the cache asked no instance and sets nothing.
 */
export function createStickyHandler(options: BalanceOptions): Handler {
  const name = cookieNameOf(options);
  const age = options.cookieSeconds === undefined ? "" : `; Max-Age=${options.cookieSeconds}`;
  return async function setStickyCookie(exchange, next) {
    const response = await next(exchange);
    const { endpoint } = exchange;
    if (!(endpoint instanceof Member)) return response;
    const token = endpoint.token.toString(36);
    if (findCookie(exchange, name) === token) return response;
    const secure = exchange.request.scheme === "https" ? "; Secure" : "";
    response.headers.append("Set-Cookie", `${name}=${token}; Path=/; HttpOnly; SameSite=Lax${secure}${age}`);
    return response;
  };
}
