import assert from "node:assert/strict";
import { test } from "node:test";
import { parameterDocument, specGateway } from "../support/spec-gateway.ts";

const ints = { type: "array", items: { type: "integer" }, minItems: 2 };
const rgb = {
  type: "object",
  properties: { R: { type: "integer" }, G: { type: "integer" } },
  required: ["R", "G"],
  additionalProperties: false,
};
type Row = [parameter: object, accepted: string[], refused: string[]];

const query = (style: string, explode: boolean, schema: object, more: object = {}): object => ({
  name: "c",
  in: "query",
  required: true,
  style,
  explode,
  schema,
  ...more,
});

const QUERIES: Record<string, Row> = {
  "form, exploded list": [query("form", true, ints), ["c=1&c=2", "c=1&x=9&c=2"], ["c=1&c=a", "c=1", "d=1&d=2", ""]],
  "form list": [query("form", false, ints), ["c=1,2", "c=1%2C2"], ["c=1,a", "c=1", "c=", "c=1,2&c=3,x"]],
  "form, exploded object": [
    query("form", true, rgb),
    ["R=1&G=2", "G=2&R=1&other=x"],
    ["R=1", "R=a&G=2", "R=1&G=2&R=3"],
  ],
  "form object": [query("form", false, rgb), ["c=R,1,G,2"], ["c=R,1,G", "c=R,a,G,2", "c=R,1", "c=R,1,G,2,B,3"]],
  "spaceDelimited list": [query("spaceDelimited", false, ints), ["c=1%202", "c=1+2"], ["c=1%20a", "c=1"]],
  "pipeDelimited list": [query("pipeDelimited", false, ints), ["c=1|2", "c=1%7C2"], ["c=1|a", "c=1,2"]],
  "pipeDelimited object": [query("pipeDelimited", false, rgb), ["c=R|1|G|2"], ["c=R|1"]],
  deepObject: [
    query("deepObject", true, rgb),
    ["c[R]=1&c[G]=2", "c%5BR%5D=1&c%5BG%5D=2"],
    [
      "c[R]=1",
      "c[R]=a&c[G]=2",
      "c[R]=1&c[G]=2&c[B]=3",
      "c[R]=1&c[R]=2&c[G]=1",
      "c[R=1",
      "c[__proto__][x]=1&c[R]=1&c[G]=2",
    ],
  ],
  "an integer": [
    query("form", true, { type: "integer", minimum: -5 }),
    ["c=1", "c=-5", "c=1.0"],
    ["c=", "c=1.5", "c=x", "c=-6", "c=0x10", "c=1&c=2", "c=1e400", "c"],
  ],
  "a boolean": [query("form", true, { type: "boolean" }), ["c=true", "c=false"], ["c=1", "c=TRUE", "c="]],
  "an empty value": [
    query("form", true, { type: "integer" }, { allowEmptyValue: true }),
    ["c=", "c", "c=4"],
    ["c=x", ""],
  ],
  "a nullable integer": [query("form", true, { type: ["integer", "null"] }), ["c=1", "c=null"], ["c=x"]],
  "integer or word": [
    query("form", true, {
      oneOf: [
        { type: "integer", maximum: 9 },
        { type: "string", minLength: 2 },
      ],
    }),
    ["c=5", "c=abc", "c=77"],
    ["c=x"],
  ],
  "numbers that are text": [query("form", true, { type: "string", pattern: "^\\d+$" }), ["c=12"], ["c=a"]],
  "an enumeration without a type": [query("form", true, { enum: [1, 2, "x"] }), ["c=1", "c=x"], ["c=3"]],
  "through allOf": [query("form", true, { allOf: [{ type: "integer" }, { minimum: 3 }] }), ["c=3"], ["c=2", "c=x"]],
  "a date-time with a plus": [
    query("form", true, { type: "string", format: "date-time" }),
    ["c=2026-01-01T00:00:00%2B02:00", "c=2026-01-01T00:00:00+02:00"],
    ["c=2026-13-01T00:00:00Z"],
  ],
  "a name with a dash": [
    { ...query("form", true, { type: "integer" }), name: "page-size" },
    ["page-size=1"],
    ["page-size=x"],
  ],
  "a name beyond ASCII": [
    { ...query("form", true, { type: "integer" }), name: "größe" },
    ["gr%C3%B6%C3%9Fe=1"],
    ["gr%C3%B6%C3%9Fe=x"],
  ],
  "a name with brackets": [
    { ...query("form", true, ints), name: "ids[]" },
    ["ids[]=1&ids[]=2", "ids%5B%5D=1&ids%5B%5D=2"],
    ["ids[]=1&ids[]=x"],
  ],
  "a name with a dollar": [
    { ...query("form", true, { type: "integer" }), name: "$top" },
    ["$top=1", "%24top=1"],
    ["$top=x"],
  ],
  JSON: [
    { name: "c", in: "query", required: true, content: { "application/json": { schema: rgb } } },
    ["c=%7B%22R%22%3A1%2C%22G%22%3A2%7D"],
    ["c=%7B%22R%22%3A1%7D", "c=x", "c=%7B%22R%22%3A1%2C%22R%22%3A1%2C%22G%22%3A2%7D"],
  ],
  "objects in a list": [
    query("form", true, { type: "array", maxItems: 2, items: rgb }),
    ['c={"R":1,"G":2}&c=%7B%22R%22:1,%22G%22:2%7D'.replaceAll('"', "%22")],
    ["c=R,1,G,2", "c=%7B%22R%22:1%7D", "c=%7B"],
  ],
  "any type, given twice": [query("form", true, { maxItems: 2 }), ["c=1&c=2", "c=1"], ["c=1&c=2&c=3"]],
  "deepObject without members": [
    query("deepObject", true, { type: "object", properties: { a: { type: "integer" } } }),
    ["c", "c=", "c[a]=1"],
    ["c=1", "c=a,1", "c[a]=x"],
  ],
  "bad encoding": [query("form", true, { type: "string" }), ["c=%C3%A4"], ["c=%zz", "c=%ff"]],
  "large integers": [
    query("form", true, { type: "integer", format: "int64" }),
    ["c=9223372036854775807", "c=-9223372036854775808"],
    ["c=92233720368547758080"],
  ],
};

test("query parameters are read by style, explode and schema, and forwarded as they came", async (t) => {
  for (const [name, [parameter, accepted, refused]] of Object.entries(QUERIES)) {
    await t.test(name, async (t) => {
      const gateway = await specGateway(t, { document: parameterDocument("/q", parameter) });
      for (const good of accepted) {
        assert.equal((await gateway.send("GET", `/q?${good}`)).status, 200, `${good} is valid`);
        assert.equal(gateway.received.at(-1)?.url, `/q?${good}`);
      }
      for (const bad of refused) {
        const { status, json } = await gateway.send("GET", `/q?${bad}`);
        assert.equal(status, 400, `${bad} is not valid`);
        assert.ok(json.violations.length > 0);
      }
      assert.equal(({} as { x?: unknown }).x, undefined);
    });
  }
});

const path = (style: string, explode: boolean, schema: object): object => ({
  name: "c",
  in: "path",
  required: true,
  style,
  explode,
  schema,
});
const PATHS: Record<string, Row> = {
  simple: [path("simple", false, { type: "integer" }), ["5"], ["x", "1.5"]],
  "simple list": [path("simple", false, ints), ["1,2"], ["1", "1,x"]],
  "simple list of texts": [
    path("simple", false, { type: "array", items: { type: "string" }, maxItems: 2 }),
    ["a,b%2Cc"],
    ["a,b,c"],
  ],
  "simple object": [path("simple", false, rgb), ["R,1,G,2"], ["R,1"]],
  "simple, exploded object": [path("simple", true, rgb), ["R=1,G=2"], ["R=1", "R,1,G,2"]],
  label: [path("label", false, { type: "integer" }), [".5"], ["5"]],
  "label list": [path("label", false, ints), [".1,2"], ["1,2"]],
  "label, exploded list": [path("label", true, ints), [".1.2"], [".1,2"]],
  "label, exploded object": [path("label", true, rgb), [".R=1.G=2"], [".R=1"]],
  matrix: [path("matrix", false, { type: "integer" }), [";c=5"], ["5", ";d=5"]],
  "matrix list": [path("matrix", false, ints), [";c=1,2"], [";c=1"]],
  "matrix, exploded list": [path("matrix", true, ints), [";c=1;c=2"], [";c=1", ";c=1;c=x"]],
  "matrix, exploded object": [path("matrix", true, rgb), [";R=1;G=2"], [";R=1"]],
  "matrix object": [path("matrix", false, rgb), [";c=R,1,G,2"], [";c=R,1"]],
  "a text beyond ASCII": [
    path("simple", false, { type: "string", maxLength: 2 }),
    ["%C3%A4%C3%B6", "%F0%9F%98%80a"],
    ["abc"],
  ],
};

test("path parameters are read by style and explode", async (t) => {
  for (const [name, [parameter, accepted, refused]] of Object.entries(PATHS)) {
    await t.test(name, async (t) => {
      const gateway = await specGateway(t, { document: parameterDocument("/p/{c}", parameter) });
      for (const good of accepted)
        assert.equal((await gateway.send("GET", `/p/${good}`)).status, 200, `${good} is valid`);
      for (const bad of refused)
        assert.equal((await gateway.send("GET", `/p/${bad}`)).status, 400, `${bad} is not valid`);
    });
  }
});

const field = (where: string, schema: object, more: object = {}): object => ({
  name: "X-C",
  in: where,
  required: true,
  schema,
  ...more,
});
const FIELDS: Record<string, Row> = {
  header: [field("header", { type: "integer" }), ["x-c: 5"], ["x-c: x", "y: 1"]],
  "header list": [field("header", ints), ["x-c: 1, 2", "x-c: 1,2"], ["x-c: 1, x"]],
  "header, exploded object": [field("header", rgb, { explode: true }), ["x-c: R=1,G=2"], ["x-c: R=1"]],
  "header JSON": [
    { name: "X-C", in: "header", required: true, content: { "application/json": { schema: rgb } } },
    ['x-c: {"R":1,"G":2}'],
    ["x-c: {}", "x-c: {"],
  ],
  cookie: [
    field("cookie", { type: "integer" }),
    ["cookie: a=b; X-C=5", "cookie: X-C=5; z=1"],
    ["cookie: X-C=x", "cookie: a=X-C=5", "cookie: X-Ca=5", "a: b"],
  ],
  "cookie list": [field("cookie", ints, { explode: false }), ["cookie: X-C=1,2"], ["cookie: X-C=1,x"]],
  "cookie, exploded list": [field("cookie", ints), ["cookie: X-C=1&X-C=2"], ["cookie: X-C=1&X-C=x"]],
  "cookie object": [field("cookie", rgb, { explode: false }), ["cookie: X-C=R,1,G,2"], ["cookie: X-C=R,1"]],
  "cookie, exploded object": [
    field("cookie", rgb),
    ["cookie: R=1; G=2", "cookie: R=1&G=2", "cookie: a=b; G=2; R=1"],
    ["cookie: R=1", "cookie: R=1&G=x"],
  ],
  "cookie, exploded object of any names": [
    field("cookie", { type: "object", additionalProperties: { type: "integer" } }),
    ["cookie: R=1; G=2", "cookie: R=1; R2=2"],
    ["cookie: R=x", "cookie: ", "a: b"],
  ],
  "cookie, exploded list, in cookies of one name": [
    field("cookie", ints),
    ["cookie: X-C=1; X-C=2", "cookie: X-C=1; a=b; X-C=2"],
    ["cookie: X-C=1,2", "cookie: X-C=1; X-C=x"],
  ],
  "cookie list that is given twice": [
    field("cookie", ints, { explode: false }),
    ["cookie: X-C=3,4,5"],
    ["cookie: X-C=3,4; X-C=5", "cookie: X-C=3&X-C=4"],
  ],
  "style cookie, list": [
    field("cookie", ints, { style: "cookie" }),
    ["cookie: X-C=1; X-C=2"],
    ["cookie: X-C=1,2", "cookie: X-C=%31; X-C=2", "cookie: X-C=1; X-C=x"],
  ],
  "style cookie, list that is not exploded": [
    field("cookie", ints, { style: "cookie", explode: false }),
    ["cookie: X-C=1,2"],
    ["cookie: X-C=1,x", "cookie: X-C=1; X-C=2"],
  ],
  "style cookie, object": [
    field("cookie", rgb, { style: "cookie" }),
    ["cookie: R=1; G=2"],
    ["cookie: R=1; G=x", "cookie: R=1"],
  ],
  "style cookie, object that is not exploded": [
    field("cookie", rgb, { style: "cookie", explode: false }),
    ["cookie: X-C=R,1,G,2"],
    ["cookie: X-C=R,1", "cookie: R=1; G=2"],
  ],
  "style cookie, text": [
    field("cookie", { type: "string", maxLength: 3 }, { style: "cookie" }),
    ["cookie: X-C=%41", "cookie: X-C=a=b"],
    ["cookie: X-C=%C3%A4"],
  ],
  "style form, text in a cookie": [
    field("cookie", { type: "string", maxLength: 3 }),
    ["cookie: X-C=%C3%A4%41"],
    ["cookie: X-C=abcd"],
  ],
};

test("expressions of RFC 6570 in a path name the parameter that they are about", async (t) => {
  const rows: [template: string, parameter: object, accepted: string[], refused: string[]][] = [
    ["{.c}", path("label", false, { type: "integer" }), [".5"], [".x", "5"]],
    ["{.c*}", path("label", true, rgb), [".R=1.G=2"], [".R=1.G=x"]],
    ["{;c}", path("matrix", false, { type: "integer", minimum: 3 }), [";c=5"], [";c=2", ";c=x", "5"]],
    ["{;c*}", path("matrix", true, ints), [";c=1;c=2"], [";c=1;c=x", "1,2"]],
  ];
  for (const [template, parameter, accepted, refused] of rows) {
    const gateway = await specGateway(t, { document: parameterDocument(`/p/${template}/end`, parameter) });
    for (const good of accepted) assert.equal((await gateway.send("GET", `/p/${good}/end`)).status, 200, good);
    for (const bad of refused) assert.equal((await gateway.send("GET", `/p/${bad}/end`)).status, 400, bad);
  }
});

test("header and cookie parameters are read by style and explode", async (t) => {
  for (const [name, [parameter, accepted, refused]] of Object.entries(FIELDS)) {
    await t.test(name, async (t) => {
      const gateway = await specGateway(t, { document: parameterDocument("/f", parameter) });
      const ask = (line: string): Promise<number> =>
        gateway.raw(`GET /f HTTP/1.1\r\nhost: h\r\nconnection: close\r\n${line}\r\n\r\n`);
      for (const good of accepted) assert.equal(await ask(good), 200, `${good} is valid`);
      for (const bad of refused) assert.equal(await ask(bad), 400, `${bad} is not valid`);
    });
  }
});

test("the whole query can be one parameter of 3.2", async (t) => {
  const content = { "application/x-www-form-urlencoded": { schema: rgb } };
  const document = {
    ...parameterDocument("/q", { name: "all", in: "querystring", required: true, content }),
    openapi: "3.2.0",
  };
  const gateway = await specGateway(t, { document });
  assert.equal((await gateway.send("GET", "/q?R=1&G=2")).status, 200);
  for (const bad of ["", "?R=1", "?R=1&G=x", "?R=1&G=2&B=3"])
    assert.equal((await gateway.send("GET", `/q${bad}`)).status, 400);
});

test("an unknown query parameter is allowed, reported or refused, as the route says", async (t) => {
  const document = parameterDocument("/q", query("form", true, { type: "integer" }));
  for (const [unknownQuery, status] of [
    ["allow", 200],
    ["report", 200],
    ["refuse", 400],
  ] as const) {
    const gateway = await specGateway(t, { document, route: { validate: { unknownQuery } } });
    assert.equal((await gateway.send("GET", "/q?c=1&d=2")).status, status);
    assert.equal((await gateway.send("GET", "/q?c=1")).status, 200);
  }
});

test("defaults are sent only where the route asks for them", async (t) => {
  const document = parameterDocument(
    "/q",
    { name: "limit", in: "query", schema: { type: "integer", default: 20 } },
    { name: "X-Mode", in: "header", schema: { type: "string", default: "fast" } },
  );
  for (const [defaults, url, mode] of [
    [false, "/q?a=1", undefined],
    [true, "/q?a=1&limit=20", "fast"],
  ] as const) {
    const gateway = await specGateway(t, { document, route: { validate: { defaults } } });
    await gateway.send("GET", "/q?a=1");
    assert.equal(gateway.received[0]?.url, url);
    assert.equal(gateway.received[0]?.headers["x-mode"], mode);
  }
});

test("all violations are named, up to a cap that the problem states", async (t) => {
  const parameters = Array.from({ length: 60 }, (_, i) => ({
    name: `p${i}`,
    in: "query",
    schema: { type: "integer" },
  }));
  const gateway = await specGateway(t, { document: parameterDocument("/q", ...parameters) });
  const { json } = await gateway.send("GET", `/q?${parameters.map(({ name }) => `${name}=x`).join("&")}`);
  assert.equal(json.violations.length, 50);
  assert.equal(json.violationsCapped, true);
  assert.match(json.detail, /more than 50/);
  assert.deepEqual(json.violations[0], {
    location: "query",
    pointer: "/p0",
    keyword: "type",
    message: "must be a whole number, not a string",
  });
});
