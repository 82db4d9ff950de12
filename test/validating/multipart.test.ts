import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { channels, type ValidationFinding } from "../../src/core/channels.ts";
import { MultipartReader, type PartHead } from "../../src/validating/bodies/multipart.ts";
import { bodyDocument, type SpecGateway, specGateway } from "../support/spec-gateway.ts";
import { until } from "../support/until.ts";

const MULTIPART = "multipart/form-data; boundary=B";
const FORM = "application/x-www-form-urlencoded";
const part = (head: string, body: string): string =>
  `--B\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
const parts = (...list: [head: string, body: string][]): string =>
  `${list.map(([head, body]) => part(head, body)).join("")}--B--\r\n`;

const integer = { type: "integer" };
const text = { type: "string" };
const point = { type: "object", required: ["x"], properties: { x: integer, y: integer } };
const schema = {
  type: "object",
  properties: {
    point,
    points: { type: "array", items: point, maxItems: 2 },
    rows: { type: "array", items: { type: "array", items: integer } },
    files: { type: "array", items: { type: "string", format: "binary", maxLength: 4 }, maxItems: 2 },
    note: text,
  },
};
const JSON_TYPE = "\r\nContent-Type: application/json";

const ROWS: Readonly<Record<string, [type: string, encoding: object, accepted: string[], refused: string[]]>> = {
  "an object in a part is JSON, whether or not the part says so": [
    MULTIPART,
    {},
    [parts(['name="point"', '{"x":1}']), parts([`name="point"${JSON_TYPE}`, '{"x":1}'])],
    [parts(['name="point"', '{"x":"1"}']), parts(['name="point"', "x=1"]), parts([`name="point"${JSON_TYPE}`, "{"])],
  ],
  "a list of objects is a part for each, or one for all": [
    MULTIPART,
    {},
    [
      parts(['name="points"', '{"x":1}']),
      parts([`name="points"${JSON_TYPE}`, '{"x":1}']),
      parts([`name="points"${JSON_TYPE}`, '{"x":1}'], [`name="points"${JSON_TYPE}`, '{"x":2}']),
      parts([`name="points"${JSON_TYPE}`, '[{"x":1},{"x":2}]']),
    ],
    [
      parts(['name="points"', '{"y":1}']),
      parts([`name="points"${JSON_TYPE}`, '[{"x":1},{"x":2},{"x":3}]']),
      parts(...Array.from({ length: 3 }, (): [string, string] => ['name="points"', '{"x":1}'])),
    ],
  ],
  "a list within a list is JSON": [
    MULTIPART,
    {},
    [
      parts(['name="rows"', "[1,2]"], ['name="rows"', "[]"]),
      parts([`name="rows"${JSON_TYPE}`, "[[1],[2]]"]),
      parts([`name="rows"${JSON_TYPE}`, "[1,2]"]),
    ],
    [parts(['name="rows"', "[1,x]"]), parts(['name="rows"', "1"]), parts([`name="rows"${JSON_TYPE}`, '[["a"]]'])],
  ],
  "each file of a list is measured": [
    MULTIPART,
    {},
    [parts(['name="files"; filename="a"', "1234"], ['name="files"; filename="b"', ""])],
    [
      parts(['name="files"; filename="a"', "12345"]),
      parts(...["a", "b", "c"].map((name): [string, string] => [`name="files"; filename="${name}"`, name])),
    ],
  ],
  "an exploded object is a part for each member": [
    MULTIPART,
    { point: { style: "form", explode: true } },
    [parts(['name="x"', "1"], ['name="y"', "2"]), parts(['name="note"', "x"])],
    [parts(['name="x"', "a"]), parts(['name="y"', "2"]), parts(['name="x"', "1"], ['name="x"', "1"])],
  ],
  "what the document says is JSON is read so": [
    MULTIPART,
    { note: { contentType: "application/json" } },
    [parts(['name="note"', '"a"']), parts([`name="note"${JSON_TYPE}`, '"a"'])],
    [parts(['name="note"', "a"]), parts(['name="note"\r\nContent-Type: text/html', '"a"'])],
  ],
  "an exploded object is a field for each member of a form": [
    FORM,
    { point: { style: "form" } },
    ["x=1&y=2", "x=1&note=a", "note=a", ""],
    ["x=a", "y=2", "x=1&x=2", "x=1&x=1"],
  ],
  "a part or field that nobody described may come twice": [
    MULTIPART,
    {},
    [parts(['name="z"', "1"], ['name="z"', "2"])],
    [parts(['name="note"', "1"], ['name="note"', "2"])],
  ],
  "a field that nobody described may come twice": [FORM, {}, ["z=1&z=2&z=3"], ["note=1&note=2"]],
  "allowReserved alone asks for a style": [FORM, { point: { allowReserved: true } }, ["x=1&note=a:/?b"], ["x=a"]],
  "explode alone asks for a style": [FORM, { point: { explode: true } }, ["x=1"], ["x=a"]],
  "an object that is not exploded is one field": [
    FORM,
    { point: { style: "form", explode: false } },
    ["point=x,1,y,2"],
    ["point=x,a", "point=x"],
  ],
  "objects and lists in a form are JSON": [
    FORM,
    {},
    [`point=${encodeURIComponent('{"x":1}')}`, "rows=[1]&rows=[2]", "points=[{%22x%22:1}]"],
    [`point=${encodeURIComponent('{"y":1}')}`, "rows=[a]"],
  ],
};

test("parts and fields are read as their encoding says", async (t) => {
  for (const [name, [type, encoding, accepted, refused]] of Object.entries(ROWS)) {
    const content = { [type.split(";")[0] as string]: { schema, encoding } };
    const gateway = await specGateway(t, { document: bodyDocument(content) });
    for (const [bodies, status] of [
      [accepted, 200],
      [refused, 400],
    ] as const) {
      for (const body of bodies) {
        const answered = await gateway.send("POST", "/", { headers: { "content-type": type }, body });
        assert.equal(answered.status, status, `${name}: ${body} ${answered.text}`);
      }
    }
  }
});

test("an empty form is an object without members, also where a body is required", async (t) => {
  const send = async (required: string[], headers: Record<string, string>): Promise<number> => {
    const content = { [FORM]: { schema: { ...schema, required } } };
    const gateway: SpecGateway = await specGateway(t, { document: bodyDocument(content) });
    return (await gateway.send("POST", "/", { headers, body: "" })).status;
  };
  assert.equal(await send([], { "content-type": FORM }), 200);
  assert.equal(await send(["note"], { "content-type": FORM }), 400);
  assert.equal(await send([], {}), 400, "without a type, there is no form");
});

const megabyte = Buffer.alloc(1 << 20, 0x61);
const upload = {
  type: "object",
  required: ["file", "note"],
  properties: { file: { type: "string", format: "binary" }, note: { ...text, maxLength: 3 } },
};

/** A gateway that lets a gigabyte pass, before a service that counts what it gets. */
async function uploadGateway(t: TestContext, fileSchema: object = {}) {
  const seen = { bytes: 0, ended: 0, aborted: 0 };
  const service = createServer((incoming, outgoing) => {
    incoming.on("data", (chunk: Buffer) => {
      seen.bytes += chunk.length;
    });
    incoming.on("end", () => {
      seen.ended++;
      outgoing.end("{}");
    });
    incoming.on("error", () => seen.aborted++);
  });
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    service.closeAllConnections();
    service.close();
  });
  const properties = { ...upload.properties, file: { ...upload.properties.file, ...fileSchema } };
  const gateway = await specGateway(t, {
    document: bodyDocument({ "multipart/form-data": { schema: { ...upload, properties } } }),
    route: { upstream: { targets: [{ url: `http://127.0.0.1:${(service.address() as AddressInfo).port}` }] } },
    options: { limits: { bodyBytes: 1 << 30 } },
  });
  const send = (body: Iterable<string | Buffer> | AsyncIterable<string | Buffer>, length?: number) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const framing = length === undefined ? {} : { "content-length": length };
      const sent = request(gateway.url, { method: "POST", headers: { "content-type": MULTIPART, ...framing } });
      sent.on("response", (response) => {
        let answer = "";
        response.setEncoding("utf8").on("data", (piece: string) => {
          answer += piece;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text: answer }));
      });
      // A refusal can come while the rest is being sent.
      sent.on("error", (error) => setTimeout(reject, 1_000, error));
      Readable.from(body).pipe(sent);
    });
  return { seen, send };
}

function* file(megabytes: number, ...fields: [head: string, body: string][]): Iterable<string | Buffer> {
  yield '--B\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n';
  for (let i = 0; i < megabytes; i++) yield megabyte;
  yield `\r\n${parts(...fields)}`;
}

test("a file of any size flows to the service while it is checked, and takes no memory", async (t) => {
  const { seen, send } = await uploadGateway(t);
  let most = 0;
  async function* watched(): AsyncIterable<string | Buffer> {
    for (const piece of file(200, ['name="note"', "abc"])) {
      most = Math.max(most, process.memoryUsage().arrayBuffers);
      yield piece;
      if (seen.bytes === 0) continue;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const before = process.memoryUsage().arrayBuffers;
  const { status, text: answer } = await send(watched());
  assert.equal(status, 200, answer);
  assert.ok(seen.bytes > 200 << 20, `${seen.bytes}`);
  assert.ok(most - before < 100 << 20, `held ${(most - before) >> 20} MiB of 200`);
});

test("what stands wrong behind a long file is refused, and the service never sees the end", async (t) => {
  const findings: ValidationFinding[] = [];
  const listen = (finding: unknown): void => {
    findings.push(finding as ValidationFinding);
  };
  channels.validation.subscribe(listen);
  t.after(() => channels.validation.unsubscribe(listen));
  const { seen, send } = await uploadGateway(t);
  const { status, text: answer } = await send(file(2, ['name="note"', "abcd"]));
  assert.equal(status, 400);
  assert.deepEqual(
    JSON.parse(answer).violations.map(
      ({ pointer, keyword }: { pointer: string; keyword: string }) => pointer + keyword,
    ),
    ["/notemaxLength"],
  );
  assert.equal((await send(file(2))).status, 400, "a required field is missing");
  assert.equal((await send([...file(2)].slice(0, 2))).status, 400, "the last boundary is missing");
  await until(() => seen.aborted === 3, "the service sees three uploads broken off");
  assert.equal(seen.ended, 0);
  assert.equal(findings.length, 3);
});

test("a file that is too long is refused before its end", async (t) => {
  const { seen, send } = await uploadGateway(t, { maxLength: 3 << 20 });
  const { status, text: answer } = await send(file(100, ['name="note"', "abc"]));
  assert.equal(status, 400);
  assert.match(answer, /at most 3145728 bytes/);
  assert.ok(seen.bytes < 50 << 20, `${seen.bytes}`);
  assert.equal((await send(file(3, ['name="note"', "abc"]))).status, 200);
});

test("parts are the same, in whatever pieces they come", () => {
  const contents = fc.array(fc.constantFrom("a", "\r", "\n", "\r\n", "-", "--", "--B", "\r\n-", "é", ":"), {
    maxLength: 6,
  });
  const body = fc
    .array(fc.record({ name: fc.constantFrom("a", "b"), content: contents.map((list) => list.join("")) }), {
      maxLength: 4,
    })
    .map(
      (list) =>
        `preamble\r\n${parts(...list.map(({ name, content }): [string, string] => [`name="${name}"`, content]))}epilogue`,
    );
  fc.assert(
    fc.property(body, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 }), (whole, sizes) => {
      const bytes = Buffer.from(whole);
      const pieces: Buffer[] = [];
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = sizes[i % sizes.length] as number;
        pieces.push(bytes.subarray(at, at + size));
        at += size;
      }
      assert.deepEqual(read(pieces), read([bytes]));
    }),
    { numRuns: 500 },
  );
});

/** Each part as `name=content`, and why reading ended. */
function read(pieces: readonly Buffer[]): unknown[] {
  const found: string[] = [];
  const reader = new MultipartReader("B", {
    onHead: ({ name }: PartHead) => found.push(`${name}=`),
    onBytes: (bytes) => {
      found[found.length - 1] += bytes.toString("latin1");
    },
    onEnd: () => {},
  });
  for (const piece of pieces) reader.write(piece);
  reader.end();
  // How far into a part that never ends it came is nobody's concern.
  return reader.failure === undefined ? found : [reader.failure.message];
}
