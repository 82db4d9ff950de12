import assert from "node:assert/strict";
import { test } from "node:test";
import { FORMATS } from "../../src/validating/schema/formats.ts";

const ROWS: Readonly<Record<string, [accepted: unknown[], refused: unknown[]]>> = {
  "uri-template": [
    ["http://a/{b}", "{+path}/it's", "{x.y,z*}", "/{?q:3}"],
    ["{a..b}", "a\u007fb", "{", "{}", "a b", "{a", "%zz"],
  ],
  byte: [
    ["", "YQ==", "YWJj"],
    ["YQ=", "Y Q=", "YQ==="],
  ],
  int32: [
    [0, -(2 ** 31), 2 ** 31 - 1],
    [2 ** 31, 0.5],
  ],
  int64: [
    [2n ** 63n - 1n, -(2n ** 63n), 5],
    [2n ** 63n, 2 ** 63, -(2n ** 63n) - 1n, 0.5],
  ],
  uint64: [
    [2n ** 64n - 1n, 0],
    [2n ** 64n, -1],
  ],
  time: [
    ["23:59:60Z", "10:00:00+01:00", "10:00:00.5z"],
    ["24:00:00Z", "10:00:60Z", "10:00:00"],
  ],
  duration: [
    ["P1D", "PT5M", "P1Y2M3DT4H5M6S", "P2W"],
    ["P", "PT", "P1DT", "P1S"],
  ],
  email: [
    ["ada@example.com", "a.b+c@x-y.example", '"a b"@example.com', "a@[127.0.0.1]", "a@xn--bcher-kva.example"],
    ["ada", "@example.com", "a..b@example.com", "a@-x.example", "a@xn--x.example", "a@b@c.example ", "a@"],
  ],
  "idn-email": [
    ["ada@example.com", "실례@실례.테스트", '"ü ü"@example.com'],
    ["2962", "ü ü@example.com", "ü@-x.example", "ü@"],
  ],
  hostname: [
    ["example.com", "a--b.example", "1.2", "xn--bcher-kva.example", "XN--BCHER-KVA"],
    ["", ".", "a..b", "-a", "a_b", "a-", "ab--cd", "xn--", "xn--X", "xn--a", `${"a".repeat(64)}.example`],
  ],
  // The rules of RFC 5892 and RFC 5893, one by one.
  "idn-hostname": [
    ["실례.테스트", "l·l", "͵β", "א׳ב", "ぁ・", "क्‍ष", "بي‌بي", "ς", "faß", "bücher。example", "xn--bcher-kva", "א1"],
    [
      "",
      "a..b",
      "〮a",
      "l·",
      "͵S",
      "A׳ב",
      "def・abc",
      "ب٠۰",
      "क‍ष",
      "\u0300hello",
      "-ü",
      "Ü",
      "1ü.אב",
      "aא",
      "xn--fa-hia--",
    ],
  ],
  "json-pointer": [
    ["", "/a~1b/~0"],
    ["a", "/~2"],
  ],
};

test("formats take what they name, and nothing else", () => {
  for (const [name, [accepted, refused]] of Object.entries(ROWS)) {
    const validate = FORMATS[name]?.validate as (value: unknown) => boolean;
    for (const value of accepted) assert.ok(validate(value), `${name} ${value}`);
    for (const value of refused) assert.ok(!validate(value), `${name} ${value}`);
  }
});
