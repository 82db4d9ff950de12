import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyDocument, parameterDocument, specGateway } from "../support/spec-gateway.ts";

const MAX = "9223372036854775807";
const BEYOND = "9223372036854775808";
const ROWS: readonly [schema: object, accepted: readonly string[], refused: readonly string[]][] = [
  [{ type: "integer", format: "int64" }, [MAX, `-${BEYOND}`, "0", "1.0"], [BEYOND, "-9223372036854775809", "1.5"]],
  [{ type: "integer", format: "uint64" }, ["18446744073709551615"], ["18446744073709551616", "-1"]],
  [{ type: "integer", format: "int32" }, ["2147483647", "-2147483648"], ["2147483648", "-2147483649", MAX]],
  [{ type: "integer", maximum: 2 ** 63 }, [MAX], [BEYOND]],
  [{ type: "integer", maximum: 9007199254740992 }, ["9007199254740992"], ["9007199254740993"]],
  [{ type: "integer", minimum: -9007199254740992 }, ["-9007199254740992"], ["-9007199254740993"]],
  [{ type: "integer", exclusiveMinimum: 9007199254740992 }, ["9007199254740993"], ["9007199254740992"]],
  [{ type: "integer", multipleOf: 2 }, ["9007199254740994"], ["9007199254740993"]],
  [{ type: "number" }, ["12345678901234567890", "1e300"], ['"1"']],
  [{ enum: [9007199254740992, 1] }, ["9007199254740993", "1"], ["9007199254740999", "2"]],
];

test("whole numbers beyond what a double tells apart are checked exactly, in a body and in a parameter", async (t) => {
  for (const [schema, accepted, refused] of ROWS) {
    const told = JSON.stringify(schema);
    const nested = {
      type: "object",
      required: ["n"],
      properties: { n: schema, text: { type: "string" }, list: { uniqueItems: true } },
    };
    const body = await specGateway(t, { document: bodyDocument({ "application/json": { schema: nested } }) });
    const query = await specGateway(t, {
      document: parameterDocument("/q", { name: "n", in: "query", required: true, schema }),
    });
    for (const [numbers, status] of [
      [accepted, 200],
      [refused, 400],
    ] as const) {
      for (const number of numbers) {
        const text = `{"text":"\\"${BEYOND}","n":${number},"list":[9007199254740992,9007199254740993]}`;
        const sent = await body.send("POST", "/", { headers: { "content-type": "application/json" }, body: text });
        assert.equal(sent.status, status, `${number} in a body against ${told}`);
        if (status === 200) assert.equal(body.received.at(-1)?.body.toString(), text);
        const asked = await query.send("GET", `/q?n=${encodeURIComponent(number)}`);
        assert.equal(asked.status, status, `${number} in a query against ${told}`);
      }
    }
  }
});

test("a form, a part and a line hold exact numbers, too", async (t) => {
  const schema = { type: "object", properties: { n: { type: "integer", format: "int64" } } };
  const part = (n: string): string => `--B\r\nContent-Disposition: form-data; name="n"\r\n\r\n${n}\r\n--B--\r\n`;
  const types: readonly [type: string, content: object, write: (n: string) => string][] = [
    ["application/x-www-form-urlencoded", { schema }, (n) => `n=${n}`],
    ["multipart/form-data; boundary=B", { schema }, part],
    ["application/jsonl", { itemSchema: schema }, (n) => `{"n":1}\n{"n":${n}}\n`],
    ["application/xml", { schema }, (n) => `<a><n>${n}</n></a>`],
  ];
  for (const [type, content, write] of types) {
    const document = { ...bodyDocument({ [type.split(";")[0] as string]: content }), openapi: "3.2.0" };
    const gateway = await specGateway(t, { document });
    const ask = async (n: string): Promise<number> =>
      (await gateway.send("POST", "/", { headers: { "content-type": type }, body: write(n) })).status;
    assert.equal(await ask(MAX), 200, type);
    assert.equal(await ask(BEYOND), 400, type);
  }
});
