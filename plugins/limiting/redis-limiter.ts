import { createHash } from "node:crypto";
import type { StateStore } from "../../src/plugin.ts";
import type { AlgorithmName, Limit } from "./algorithms.ts";
import { LIMIT_SCRIPT } from "./limit-script.ts";
import type { Verdict } from "./limiter.ts";

export type RunScript = NonNullable<StateStore["runScript"]>;

/** The same limits for every gateway on one Redis: one round trip, and those of one tick in one write. */
export class RedisLimiter {
  private readonly run: RunScript;
  private readonly scope: string;
  private readonly algorithm: AlgorithmName;
  private readonly numbers: readonly number[];

  /** @param scope which limit it is, the same in each gateway */
  constructor(run: RunScript, scope: string, limits: readonly Limit[], algorithm: AlgorithmName) {
    this.run = run;
    // Numbers of other limits mean nothing to these: a rate that is changed counts anew.
    this.scope = `${scope}:${algorithm}:${limits.map(({ name, burst }) => `${name}+${burst}`).join(",")}`;
    this.algorithm = algorithm;
    this.numbers = limits.flatMap(({ count, windowMs, burst }) => [count, windowMs, burst]);
  }

  /** @throws StoreUnavailable */
  async take(key: string, cost: number): Promise<Verdict> {
    const name = `limit:${this.scope}:${isPublic(key) ? key : digest(key)}`;
    const answer = (await this.run(LIMIT_SCRIPT, [name], [this.algorithm, cost, ...this.numbers])) as string[];
    const verdict: Verdict = { waitMs: toNumber(answer[0]), remaining: [], resetMs: [] };
    for (let i = 1; i < answer.length; i += 2) {
      verdict.remaining.push(toNumber(answer[i]));
      verdict.resetMs.push(toNumber(answer[i + 1]));
    }
    return verdict;
  }
}

const toNumber = (text: string | undefined): number => (text === "inf" ? Number.POSITIVE_INFINITY : Number(text));
/** A header or a cookie may be a credential: Redis is not told. Names and addresses can be read there. */
const isPublic = (key: string): boolean => key.length <= 200 && /^([cao]:[^\n]*|all)$/.test(key);
const digest = (key: string): string => createHash("sha256").update(key).digest("base64url");
