import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { test } from "node:test";
import { KNOWN_BUG_DOCUMENTS } from "../support/known-bug-documents.ts";
import { specGateway } from "../support/spec-gateway.ts";

// What went wrong in the validators of others, one row a bug: Kong's oas-validation (developer.konghq.com, its changelog),
// Prism, express-openapi-validator and kin-openapi (their issues). Every one is asked of a gateway, over a socket.

type Row = readonly [
  bug: string,
  request: string,
  status: number,
  body?: string | undefined,
  headers?: Record<string, string>,
];

const BOUNDARY = { "content-type": "multipart/form-data; boundary=b" };
const part = (fields: string, value: string): string =>
  `--b\r\ncontent-disposition: form-data; ${fields}\r\n\r\n${value}\r\n`;

const ROWS: readonly Row[] = [
  // Parameters
  ["a dollar in the path loses the parameter", "GET /dollar/$count/1", 200],
  ["a dollar in the path leaves the parameter unchecked", "GET /dollar/$count/x", 400],
  ["regex characters in the path never match", "GET /regex/a.b+(c)*%5Bd%5D/1", 200],
  ["regex characters in the path match anything", "GET /regex/aXbb(c)*%5Bd%5D/1", 404],
  ["a hyphen in a parameter's name loses its value", "GET /hyphen/7/x", 200],
  ["a hyphen in a parameter's name leaves it unchecked", "GET /hyphen/seven/x", 400],
  ["a path beyond ASCII never matches", "GET /gr%C3%B6%C3%9Fe/7", 200],
  ["a parameter's name beyond ASCII leaves it unchecked", "GET /gr%C3%B6%C3%9Fe/x", 400],
  ["a value beyond ASCII never matches", "GET /escaped/%E3%81%82%E3%81%84", 200],
  ["a valid path parameter is refused", "GET /valid/abc", 200],
  ["a path parameter is not held against its pattern", "GET /valid/ab1", 400],
  ["an escaped value is measured as it was escaped", "GET /escaped/a%20b%2Fc", 200],
  ["explode: false cannot be checked", "GET /unexploded?ids=1,2,3", 200],
  ["explode: false is one text", "GET /unexploded?ids=1,x", 400],
  ["explode: false counts no items", "GET /unexploded?ids=1,2,3,4", 400],
  ["a query parameter without a value is a fault", "GET /empty?q", 200],
  ["a query parameter with an empty value is a fault", "GET /empty?q=", 200],
  ["an empty value is an integer", "GET /empty?n=", 400],
  ["allowEmptyValue is not heard of", "GET /empty?flag=", 200],
  ["a query that fits nothing is a fault", "GET /empty?%&=&&a[=b&q[]=1&=x", 200],
  ["a query of bad percent-encoding is a fault", "GET /empty?q=%E0%A4%A", 400],
  ["primitives of a query are cast to text", "GET /primitives?n=1.5&b=true&i=3", 200],
  ["a boolean is any text", "GET /primitives?b=yes", 400],
  ["a number with an exponent is refused", "GET /primitives?n=1e3", 200],
  ["an integer with a fraction passes", "GET /primitives?i=1.5", 400],
  ["hexadecimal passes as a number", "GET /primitives?i=0x10", 400],
  ["Infinity passes as a number", "GET /primitives?n=Infinity", 400],
  ["deepObject is read as one name", "GET /deep?filter[age]=7", 200],
  ["deepObject leaves its members unchecked", "GET /deep?filter[age]=x", 400],
  ["deepObject with encoded brackets is not seen", "GET /deep?filter%5Bage%5D=x", 400],
  ["an exploded object is looked for under its own name", "GET /exploded?x=1&y=2", 200],
  ["an exploded object leaves its members unchecked", "GET /exploded?x=1&y=b", 400],
  ["an encoded pipe does not part", "GET /piped?ids=1%7C2", 200],
  ["a pipe leaves its items unchecked", "GET /piped?ids=1|b", 400],
  ["a schema of any type with a style is a fault", "GET /any?a=1&list=1&list=b", 200],
  ["a parameter by reference is a fault", "GET /reference?limit=10", 200],
  ["a parameter's referenced schema is not followed", "GET /reference?limit=11", 400],
  ["a plus in a date-time is a space", "GET /time?at=2026-01-01T00:00:00+02:00", 200],
  ["a content parameter is read by style", `GET /content?filter=${encodeURIComponent('{"a":1}')}`, 200],
  ["a content parameter is not read", `GET /content?filter=${encodeURIComponent('{"a":"x"}')}`, 400],
  ["a header's name is compared with its case", "GET /header", 200, undefined, { "x-pAGE-size": "5" }],
  ["a header is text", "GET /header", 400, undefined, { "x-page-size": "five" }],
  ["cookies are not checked", "GET /cookie", 400, undefined, { cookie: "session=abc" }],
  ["a required cookie may be missing", "GET /cookie", 400, undefined, { cookie: "other=abcdef" }],
  ["one cookie of several is not found", "GET /cookie", 200, undefined, { cookie: "a=b; session=abcd; c=d" }],
  ["anyOf of a parameter takes its first branch alone", "GET /choice?v=all", 200],
  ["anyOf of a parameter takes everything", "GET /choice?v=none", 400],
  // Bodies
  [
    "a valid recursive schema is always refused",
    "POST /tree",
    200,
    '{"name":"a","children":[{"name":"b","children":[]}]}',
  ],
  [
    "a recursive schema is followed once only",
    "POST /tree",
    400,
    '{"name":"a","children":[{"name":"b","children":[{}]}]}',
  ],
  [
    "a charset makes the content type unknown",
    "POST /tree",
    200,
    '{"name":"a"}',
    { "content-type": "application/json; charset=utf8" },
  ],
  [
    "the case of a content type makes it unknown",
    "POST /tree",
    200,
    '{"name":"a"}',
    { "content-type": "Application/JSON" },
  ],
  ["another content type passes unchecked", "POST /tree", 415, '{"name":"a"}', { "content-type": "text/plain" }],
  ["a content type that only starts alike passes", "POST /tree", 415, "{}", { "content-type": "application/jsonx" }],
  ["a body without a content type passes unchecked", "POST /tree", 415, "{}", { "content-type": "" }],
  ["a body that is not required is asked for", "POST /optional-body", 200],
  ["a body that is not required passes unchecked", "POST /optional-body", 400, "{}"],
  [
    "a body is checked where the operation has none",
    "POST /no-body",
    200,
    "anything",
    { "content-type": "text/plain" },
  ],
  ["references under a discriminator are not followed", "POST /owner", 400, '{"pets":[{"kind":"Cat","lives":11}]}'],
  ["a discriminator's mapping is not heard of", "POST /owner", 200, '{"pets":[{"kind":"dog","barks":true}]}'],
  ["large numbers are compared in exponential notation", "POST /numbers", 200, "9007199254740992"],
  ["large numbers are rounded before they are compared", "POST /numbers", 400, "9007199254740993"],
  ["small numbers are rounded before they are compared", "POST /numbers", 400, "-9007199254740993"],
  ["allOf is not heard of", "POST /all", 400, "{}"],
  ["not is not heard of", "POST /not", 400, '{"forbidden":1}'],
  ["a read-only member is required in a request", "POST /account", 200, '{"name":"a","secret":"s"}'],
  ["a read-only member passes in a request", "POST /account", 400, '{"id":1,"name":"a"}'],
  ["base64 without its padding passes", "POST /bytes", 400, '"YQ"'],
  ["JSON with something behind it passes", "POST /bytes", 400, '"YQ==" x'],
  ["the last of two equal names counts", "POST /account", 400, '{"name":1,"name":"a"}'],
  ["__proto__ disappears", "POST /all", 400, '{"__proto__":{"a":1}}'],
  ["multipart is not read", "POST /upload", 400, `${part('name="id"', "x")}--b--\r\n`, BOUNDARY],
  [
    "a file makes the other parts unread",
    "POST /upload",
    400,
    `${part('name="file"; filename="f"', "x")}--b--\r\n`,
    BOUNDARY,
  ],
  [
    "a multipart field is text",
    "POST /upload",
    200,
    `${part('name="id"', "7")}${part('name="file"; filename="f"', "x")}--b--\r\n`,
    BOUNDARY,
  ],
  ["multipart without its last boundary passes", "POST /upload", 400, part('name="id"', "7"), BOUNDARY],
  ["text is parsed as JSON", "POST /plain", 200, '{"a"', { "content-type": "text/plain" }],
  ["text is not measured", "POST /plain", 400, "longer", { "content-type": "text/plain" }],
  // Answers
  ["an answer without a content type is a fault", "GET /untyped-answer", 200],
  ["an answer whose spec has no content is a fault", "GET /bare-answer", 200],
  ["an answer to HEAD is read", "HEAD /any-answer", 200],
];

/** What the two versions write differently. */
const NULL_ROWS: readonly Row[] = [
  ["nullable has no effect", "POST /nullable", 200, '{"a":null}'],
  ["nullable takes anything", "POST /nullable", 400, '{"a":1}'],
  ["null passes where nothing says so", "POST /nullable", 400, '{"b":null}'],
  ["an exclusive bound is passed by the bound itself", "POST /exclusive", 400, "5"],
  ["an exclusive bound is a number in 3.0", "POST /exclusive", 200, "6"],
];

/** A discriminator decides in 3.0; later versions say that it must not change what is valid. */
const UNKNOWN_KIND: Readonly<Record<string, number>> = { "3.0.3": 400, "3.1.0": 200 };

/** Answers that others stumble over. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === "/untyped-answer") response.end("x");
  else if (request.url === "/bare-answer") response.setHeader("content-type", "text/html").end("<p>");
  else response.setHeader("content-type", "application/json").end("{}");
}

for (const [version, document] of Object.entries(KNOWN_BUG_DOCUMENTS)) {
  test(`what was wrong in other validators is right here, in ${version}`, async (t) => {
    const gateway = await specGateway(t, { document, answer });
    const found: string[] = [];
    const discriminated: Row = [
      "a discriminator does not do what its version says",
      "POST /owner",
      UNKNOWN_KIND[version] ?? 0,
      '{"pets":[{"kind":"bird","barks":true}]}',
    ];
    for (const [bug, request, status, body, headers] of [...ROWS, ...NULL_ROWS, discriminated]) {
      const [method = "", target = ""] = request.split(/ (.*)/s);
      const type = body === undefined ? {} : { "content-type": "application/json" };
      const init = { headers: { ...type, ...headers }, ...(body === undefined ? {} : { body }) };
      const answered = await gateway.send(method, target, init);
      if (answered.status !== status) found.push(`${bug}: ${answered.status} ${answered.text}`);
      if (
        answered.status === 400 &&
        answered.json?.violations === undefined &&
        answered.json?.code !== "BODY_MALFORMED"
      )
        found.push(`${bug}: no violations in ${answered.text}`);
    }
    assert.deepEqual(found, []);
  });
}
