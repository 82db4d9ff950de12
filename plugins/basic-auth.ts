import { hash, randomBytes } from "node:crypto";
import {
  type Consumer,
  definePlugin,
  type Exchange,
  GatewayError,
  hashPassword,
  type PasswordHash,
  parsePasswordHash,
  Type,
  verifyPassword,
} from "../src/plugin.ts";
import { type Place, removeCredential } from "./common/credentials.ts";
import { Remembered } from "./common/remembered.ts";

const UserOptions = Type.Object(
  {
    password: Type.String({
      description: "Its hash: $scrypt$…, as `portico hash-password` prints it, or $argon2id$….",
    }),
    groups: Type.Optional(Type.Array(Type.String(), { description: "Groups of the consumer." })),
    scopes: Type.Optional(Type.Array(Type.String(), { description: "What they may do, as the spec names it." })),
  },
  { additionalProperties: false },
);

/** Passwords that are hashed at once; each takes a core for some 50 ms, and more of them only wait. */
const MAX_WAITING = 64;
const REMEMBER_MS = 60_000;
const AUTHORIZATION: Place = { in: "header", name: "authorization" };

interface User {
  readonly parts: PasswordHash;
  readonly consumer: Consumer;
  /** Until the password counts no longer. */
  readonly leftMs?: number;
}

interface Shared {
  readonly remembered: Remembered<{ readonly consumer: Consumer; readonly untilMs: number }>;
  waiting: number;
  /** Of the consumers whose passwords are remembered. */
  version: number;
}

/** Who calls, by name and password (RFC 7617). Passwords stand in the configuration as scrypt or argon2 hashes. */
export default definePlugin({
  name: "basic-auth",
  phase: "authenticate",
  options: Type.Object({
    users: Type.Optional(
      Type.Record(Type.String(), Type.Union([Type.String(), UserOptions]), {
        minProperties: 1,
        description:
          "Name to the hash of the password (scrypt, as `portico hash-password` prints it, or argon2). Default: the passwords of `consumers`.",
      }),
    ),
    realm: Type.String({
      default: "portico",
      pattern: '^[^"\\\\\\x00-\\x1f]*$',
      description: "What browsers show when they ask for the password.",
    }),
    forwardCredential: Type.Boolean({ default: false, description: "The upstream sees name and password." }),
  }),
  async setup({ options, clock, shared, consumers }) {
    if (options.users === undefined && !consumers.has("password")) {
      throw new Error("it lacks users; write users, or give consumers passwords");
    }
    const headers = { "WWW-Authenticate": `Basic realm="${options.realm}", charset="UTF-8"` };
    const users = new Map(
      Object.entries(options.users ?? {}).map(([name, user]) => {
        const { password, groups = [], scopes = [] } = typeof user === "string" ? { password: user } : user;
        return [
          name,
          { parts: parsePasswordHash(password), consumer: { name, groups, scopes: new Set(scopes) } },
        ] as const;
      }),
    );
    // A name that nobody has takes as long as one that somebody has: the time must not tell who is known.
    const [someone] = users.values();
    const nobody = someone?.parts ?? parsePasswordHash(await hashPassword(randomBytes(16).toString("hex")));
    const state = shared<Shared>(() => ({ remembered: new Remembered(10_000), waiting: 0, version: 0 }));
    const refusal = (): GatewayError =>
      new GatewayError("CREDENTIALS_INVALID", "name or password is wrong", { headers });

    const findUser = (name: string): User | undefined => {
      if (options.users !== undefined) return users.get(name);
      const known = consumers.find("password", name);
      if (known?.secret === undefined || known.expiresAtMs <= clock.nowMs()) return undefined;
      return {
        parts: parsePasswordHash(known.secret),
        consumer: known.consumer,
        leftMs: known.expiresAtMs - clock.nowMs(),
      };
    };

    const check = async (field: string): Promise<User> => {
      const credential = parse(field);
      if (credential === undefined) throw refusal();
      if (state.waiting >= MAX_WAITING) throw new GatewayError("OVERLOADED", "too many passwords to check");
      const user = findUser(credential.name);
      state.waiting++;
      const isRight = await verifyPassword(credential.password, user?.parts ?? nobody).finally(() => {
        state.waiting--;
      });
      if (user === undefined || !isRight) throw refusal();
      return user;
    };

    const admit = (exchange: Exchange, consumer: Consumer): void => {
      exchange.consumer = consumer;
      if (!options.forwardCredential) removeCredential(exchange, AUTHORIZATION);
    };
    const checkAndRemember = async (field: string, key: string): Promise<Consumer> => {
      const { version } = consumers;
      const { consumer, leftMs = REMEMBER_MS } = await check(field);
      const untilMs = clock.monotonicMs() + Math.min(REMEMBER_MS, leftMs);
      if (version === consumers.version) state.remembered.set(key, { consumer, untilMs });
      return consumer;
    };

    // Who is remembered is let in without a promise of its own.
    return function checkPassword(exchange, next) {
      const field = exchange.request.headers.get("authorization");
      if (field === undefined || !/^basic /i.test(field)) {
        throw new GatewayError("CREDENTIALS_MISSING", "send Authorization: Basic", { headers });
      }
      if (exchange.request.headers.isRepeated("authorization")) throw refusal();
      if (state.version !== consumers.version) {
        state.version = consumers.version;
        state.remembered.clear();
      }
      const key = hash("sha256", field, "base64");
      const known = state.remembered.get(key);
      if (known !== undefined && known.untilMs > clock.monotonicMs()) {
        admit(exchange, known.consumer);
        return next(exchange);
      }
      return checkAndRemember(field, key).then((consumer) => {
        admit(exchange, consumer);
        return next(exchange);
      });
    };
  },
});

function parse(field: string): { name: string; password: string } | undefined {
  const encoded = field.slice(6).trim();
  if (!/^[A-Za-z0-9+/]+=*$/.test(encoded)) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
