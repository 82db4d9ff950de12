import { createHmac } from "node:crypto";
import { added, compare, median, word } from "../compare.mjs";
import { portico, SECRET } from "../portico.mjs";

const BAR_MICROS = 6;
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const unsigned = `${part({ alg: "HS256" })}.${part({ sub: "ada", exp: 4_102_444_800, groups: ["staff"] })}`;
const token = `${unsigned}.${createHmac("sha256", SECRET).update(unsigned).digest("base64url")}`;

/** The same route and the same request, with and without plugins. */
export const scenario = {
  name: "plugins",
  title: "Six built-in plugins on an operation: request-id, cors, ip-filter, jwt, acl, rate-limit",
  async run({ say, seconds, upstreamPort }) {
    const ways = {
      none: (port, upstream) => portico("plain", port, upstream),
      six: (port, upstream) => portico("six", port, upstream),
    };
    const request = { path: "/hello", headers: { Authorization: `Bearer ${token}` } };
    const { none, six } = await compare(ways, request, { upstreamPort, seconds, rounds: 3 });
    say("| what | CPU µs/request |");
    say("| --- | ---: |");
    say(`| no plugin | ${median(none).toFixed(1)} |`);
    say(`| six plugins | ${median(six).toFixed(1)} |`);
    const more = added(six, none);
    say(
      `\n${word(more <= BAR_MICROS)}: ${more.toFixed(1)} µs for six plugins together, where ${BAR_MICROS} is the bar.`,
    );
  },
};
