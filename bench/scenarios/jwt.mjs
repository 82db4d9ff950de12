import { generateKeyPairSync, verify } from "node:crypto";
import jsonwebtoken from "jsonwebtoken";
import jwt from "../../dist/plugins/jwt.js";
import { exchangeOf, handlerOf, microsOf } from "../plugin-handler.mjs";

const ROUNDS = 7;
const TOKENS = 1_000;
const CALLS = 4_000;
const NEW_BAR = 1.3;
const KNOWN_BAR_MICROS = 1;

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const sign = (_, i) =>
  jsonwebtoken.sign({ sub: `user-${i}`, scope: "pets:read pets:write", iss: "https://id.example" }, privateKey, {
    algorithm: "RS256",
    audience: "petstore",
    expiresIn: "1h",
  });

/** The whole of the plugin against the one call that no verifier can do without; in turn, so that a drift of the machine falls on both. */
export const scenario = {
  name: "jwt",
  title: "JWT RS256: a known token, and a new one against bare crypto.verify",
  async run({ say }) {
    const tokens = Array.from({ length: TOKENS }, sign);
    const signed = tokens.map((token) => {
      const end = token.lastIndexOf(".");
      return [Buffer.from(token.slice(0, end)), Buffer.from(token.slice(end + 1), "base64url")];
    });
    const pem = publicKey.export({ type: "spki", format: "pem" });
    const options = { publicKey: pem, issuer: "https://id.example", audience: "petstore" };
    const knowing = await handlerOf(jwt, { ...options });
    // Remembers fewer than are sent: each is as new as the first time.
    const forgetful = await handlerOf(jwt, { ...options, remember: 100 });
    const answer = Promise.resolve({ status: 200, headers: undefined, body: null });
    const next = () => answer;
    const fields = tokens.map((token) => ["Authorization", Buffer.from(`Bearer ${token}`).toString("latin1")]);
    const cases = {
      none: [100_000, (i) => next(exchangeOf(fields[i % TOKENS]))],
      known: [100_000, (i) => knowing(exchangeOf(fields[i % TOKENS]), next)],
      bare: [CALLS, (i) => verify("sha256", signed[i % TOKENS][0], publicKey, signed[i % TOKENS][1])],
      jsonwebtoken: [CALLS, (i) => jsonwebtoken.verify(tokens[i % TOKENS], publicKey, { algorithms: ["RS256"] })],
      fresh: [CALLS, (i) => forgetful(exchangeOf(fields[i % TOKENS]), next)],
    };
    const rounds = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const micros = {};
      for (const [name, [calls, step]] of Object.entries(cases)) micros[name] = await microsOf(calls, step);
      if (round > 0) rounds.push(micros);
    }
    const median = (of) => rounds.map(of).sort((a, b) => a - b)[ROUNDS >> 1];
    const known = median((micros) => micros.known - micros.none);
    const ratio = median((micros) => (micros.fresh - micros.none) / micros.bare);
    say("| what | CPU µs |");
    say("| --- | ---: |");
    say(`| known token, what the plugin adds to a request | ${known.toFixed(2)} |`);
    say(`| bare crypto.verify | ${median((micros) => micros.bare).toFixed(1)} |`);
    say(`| jsonwebtoken.verify alone | ${median((micros) => micros.jsonwebtoken).toFixed(1)} |`);
    say(`| new token, the whole plugin | ${median((micros) => micros.fresh - micros.none).toFixed(1)} |`);
    say(
      `\n${word(known <= KNOWN_BAR_MICROS)}: ${known.toFixed(2)} µs for a known token, where ${KNOWN_BAR_MICROS} is the bar.`,
    );
    say(
      `\n${word(ratio <= NEW_BAR)}: ${ratio.toFixed(2)} × crypto.verify for a new token, where ${NEW_BAR} is the bar.`,
    );
  },
};

const word = (isReached) => (isReached ? "Reached" : "NOT reached");
