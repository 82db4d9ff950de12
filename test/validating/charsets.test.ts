import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyDocument, specGateway } from "../support/spec-gateway.ts";

const content = {
  "application/json": { schema: { type: "object" } },
  "application/x-www-form-urlencoded": { schema: { type: "object" } },
  "text/plain": { schema: { type: "string", maxLength: 5 } },
  "application/xml": { schema: { type: "object", properties: { n: { type: "string", maxLength: 1 } } } },
  "application/jsonl": { itemSchema: { type: "object" } },
  "application/json-seq": { itemSchema: { type: "object" } },
  "text/event-stream": { itemSchema: { type: "object" } },
  "multipart/form-data": {
    schema: {
      type: "object",
      properties: {
        n: { type: "string", maxLength: 1 },
        json: { type: "string", contentMediaType: "application/json" },
      },
    },
  },
};
const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");
const utf16 = (text: string): Buffer => Buffer.from(text, "utf16le");
const part = (head: string, text: string | Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`--B\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(text as string),
    Buffer.from("\r\n--B--"),
  ]);
const FORM_DATA = "multipart/form-data; boundary=B";

const ROWS: [type: string, body: string | Buffer, status: number][] = [
  ["application/json; charset=utf8", "{}", 200],
  ["application/json; charset=US-ASCII", "{}", 200],
  ["application/json; charset=utf-16", "{}", 415],
  ["application/json; charset=utf-16", utf16("{}"), 415],
  ["application/json; charset=iso-8859-1", "{}", 415],
  ["application/json; charset=klingon", "{}", 415],
  ["application/json; charset=utf-8; charset=utf-16", "{}", 415],
  ["application/json; charset=utf-8; charset=utf-8", "{}", 200],
  ["application/x-www-form-urlencoded; charset=iso-8859-1", "a=%e9", 415],
  ["application/jsonl; charset=utf-16", "{}", 415],
  ["application/json-seq", "{}", 400],
  ["application/json-seq", "\n\u001e{}\n", 200],
  ["text/event-stream", latin1("data: \xe9\n\n"), 400],
  ["text/plain", latin1("\xe9"), 400],
  ["text/plain; charset=utf-8", latin1("\xe9"), 400],
  ["text/plain; charset=iso-8859-1", latin1("\xe9\xe9\xe9\xe9\xe9"), 200],
  ["text/plain; charset=iso-8859-1", latin1("\xe9\xe9\xe9\xe9\xe9\xe9"), 400],
  ["text/plain; charset=utf-16", utf16("\ufeffabcde"), 200],
  ["text/plain; charset=utf-16", utf16("\ufeffabcde").swap16(), 200],
  ["text/plain; charset=utf-16", utf16("abcdef"), 400],
  ["text/plain; charset=utf-16", "abc", 400],
  ["text/plain; charset=klingon", "abc", 415],
  ["text/plain", "\ufeffabcde", 200],
  ["application/xml", latin1('<?xml version="1.0" encoding="ISO-8859-1"?><r><n>\xe9</n></r>'), 200],
  ["application/xml; charset=iso-8859-1", latin1("<r><n>\xe9</n></r>"), 200],
  ["application/xml", latin1("<r><n>\xe9</n></r>"), 400],
  ["application/xml", utf16("\ufeff<r><n>\xe9</n></r>"), 200],
  ["application/xml", utf16("\ufeff<r><n>ab</n></r>"), 400],
  ["application/xml", utf16("\ufeff<r><n>a</n></r>").swap16(), 200],
  ["application/xml", '<?xml version="1.0" encoding="utf-7"?><r/>', 400],
  ["application/xml; charset=utf-7", "<r/>", 415],
  [FORM_DATA, part('name="n"', "\xe9"), 200],
  [FORM_DATA, part('name="n"', latin1("\xe9")), 400],
  [FORM_DATA, part('name="n"\r\nContent-Type: text/plain; charset=iso-8859-1', latin1("\xe9")), 200],
  [FORM_DATA, part('name="n"\r\nContent-Type: text/plain; charset=klingon', "a"), 400],
  [FORM_DATA, part('name="other"', latin1("\xe9")), 200],
  [FORM_DATA, part('name="json"\r\nContent-Type: application/json', '{"a":1}'), 200],
  [FORM_DATA, part('name="a"; name="n"', "ab"), 400],
  [FORM_DATA, part('name="n\\"; x="', "a"), 400],
  [FORM_DATA, part('name="a"\r\nContent-Disposition: form-data; name="n"', "ab"), 400],
  [`${FORM_DATA}; boundary=C`, part('name="n"', "a"), 415],
];

test("a body is read in the charset that it names, or refused where services would read another one", async (t) => {
  const gateway = await specGateway(t, { document: { ...bodyDocument(content), openapi: "3.2.0" } });
  for (const [type, body, expected] of ROWS) {
    const { status, json, headers } = await gateway.send("POST", "/", { headers: { "content-type": type }, body });
    assert.equal(status, expected, `${type}: ${body.toString("latin1" as never)} ${JSON.stringify(json)}`);
    if (status === 415) assert.match(headers.get("accept") ?? "", /application\/json/);
    if (status === 200) assert.deepEqual(gateway.received.at(-1)?.body, Buffer.from(body as string));
  }
});
