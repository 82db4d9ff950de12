import assert from "node:assert/strict";
import { test } from "node:test";
import { checkOptions } from "../../src/config/check.ts";
import { formatProblem } from "../../src/config/problem.ts";
import { PorticoOptions } from "../../src/config/schema.ts";
import { parseConfigSource } from "../../src/config/source.ts";

const problemsOf = (text: string): string[] => {
  const source = parseConfigSource("portico.yaml", text);
  return Array.isArray(source)
    ? source.map(formatProblem)
    : checkOptions(source, PorticoOptions, source.value, []).map(formatProblem);
};

test("a network that cannot be read is a problem of the line that it stands in", () => {
  const text = `discovery:
  addresses:
    allow: [10.0.0.0/8, "fd00::/8", 10.1.2.3]
    deny:
      - 10.0.0.0/99
registry:
  embedded:
    addresses: { allow: [lan] }
trustedProxies: [10.0.0.0/8, 127.0.0.1, proxy]
`;
  assert.deepEqual(problemsOf(text), [
    'portico.yaml:8:26 registry.embedded.addresses.allow.0 is "lan"; it must be a network (such as 10.0.0.0/8)',
    'portico.yaml:5:9 discovery.addresses.deny.0 is "10.0.0.0/99"; it must be a network (such as 10.0.0.0/8)',
    'portico.yaml:9:41 trustedProxies.2 is "proxy"; it must be a network (such as 10.0.0.0/8)',
  ]);
});
