import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type SpecGateway, specGateway } from "../support/spec-gateway.ts";
import { furtherRows, type StyleRow, specifiedRows } from "../support/style-tables.ts";

const describe = ({ in: where, style, explode, schema, wire }: StyleRow): string =>
  `${where} ${style}${explode ? "*" : ""} ${wire} for ${JSON.stringify(schema)}`;

/** One document with an operation for each row, whose parameter must be exactly the value of the row, or anything but it. */
async function tableGateway(t: TestContext, rows: readonly StyleRow[]): Promise<SpecGateway> {
  const paths = Object.fromEntries(
    rows.flatMap((row, i) =>
      (["is", "not"] as const).map((side) => [
        `/${side}${i}${row.in === "path" ? "/{color}" : ""}`,
        { get: { parameters: [parameterOf(row, side)], responses: { 200: { description: "ok" } } } },
      ]),
    ),
  );
  return specGateway(t, { document: { openapi: "3.2.0", info: { title: "Styles", version: "1" }, paths } });
}

function parameterOf(
  { in: where, style, explode, value, schema, more, others = [] }: StyleRow,
  side: "is" | "not",
): object {
  const exact = value === undefined ? {} : side === "is" ? { const: value } : { not: { enum: [value, ...others] } };
  return { name: "color", in: where, required: true, style, explode, schema: { ...schema, ...exact }, ...more };
}

function send(gateway: SpecGateway, row: StyleRow, path: string): Promise<number> {
  const field = row.in === "header" ? `color: ${row.wire}\r\n` : row.in === "cookie" ? `cookie: ${row.wire}\r\n` : "";
  const target = row.in === "path" ? `${path}/${row.wire}` : row.in === "query" ? `${path}?${row.wire}` : path;
  return gateway.raw(`GET ${target} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n${field}\r\n`);
}

for (const [name, rows] of [
  ["the table of styles that OpenAPI 3.2 prints is read as it says", specifiedRows],
  ["types, encodings and empty values are read in every location and style", furtherRows],
] as const) {
  test(name, async (t) => {
    const gateway = await tableGateway(t, rows);
    const misread: string[] = [];
    for (const [i, row] of rows.entries()) {
      const told = `${describe(row)} is ${row.value === undefined ? "refused" : JSON.stringify(row.value)}`;
      if ((await send(gateway, row, `/is${i}`)) !== (row.value === undefined ? 400 : 200)) misread.push(told);
      if ((await send(gateway, row, `/not${i}`)) !== 400) misread.push(`${told}, and nothing else`);
    }
    assert.deepEqual(misread, []);
  });
}

test("lists in a segment with more than one parameter are parted before they are decoded", async (t) => {
  const list = (name: string, value: string[]): object => ({
    name,
    in: "path",
    required: true,
    schema: { type: "array", items: { type: "string" }, const: value },
  });
  const parameters = [list("a", ["x,y", "😀z"]), list("b", ["é:", "w"])];
  const paths = { "/v{a}-{b}.json": { get: { parameters, responses: { 200: { description: "ok" } } } } };
  const gateway = await specGateway(t, {
    document: { openapi: "3.1.0", info: { title: "Segments", version: "1" }, paths },
  });
  const ask = (path: string): Promise<number> =>
    gateway.raw(`GET ${path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n`);
  assert.equal(await ask("/vx%2Cy,%F0%9F%98%80z-%C3%A9%3A,w.json"), 200);
  assert.equal(await ask("/%76x%2Cy,%F0%9F%98%80z-%C3%A9%3A,w.json"), 200);
  assert.equal(await ask("/vx,y,%F0%9F%98%80z-%C3%A9%3A,w.json"), 400);
});
