import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyDocument, specGateway } from "../support/spec-gateway.ts";

const pet = {
  type: "object",
  xml: { name: "pet", namespace: "urn:pets", prefix: "p" },
  required: ["id"],
  properties: {
    id: { type: "integer", xml: { attribute: true } },
    lang: { type: "string", maxLength: 2, xml: { attribute: true, namespace: "urn:lang" } },
    name: { type: "string", xml: { namespace: "urn:names" } },
    tags: { type: "array", xml: { wrapped: true, name: "labels" }, items: { type: "integer", xml: { name: "label" } } },
    nick: { type: ["array", "null"], items: { type: "integer", xml: { name: "alias" } } },
    chip: { type: ["object", "null"], required: ["number"], properties: { number: { type: "integer" } } },
  },
};
const inPet = (inside: string, attributes = 'id="1"'): string =>
  `<pet xmlns="urn:pets" xmlns:n="urn:names" xmlns:l="urn:lang" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" ${attributes}>${inside}</pet>`;

const ACCEPTED = [
  inPet(""),
  '<q:pet xmlns:q="urn:pets" id="1"/>',
  inPet("<n:name>x</n:name><labels><label>1</label></labels><alias>1</alias><alias>2</alias>"),
  inPet("<labels/>"),
  inPet("\n\t<labels>\r\n <label>1</label>\n</labels> <chip>\n<number>1</number></chip>\n"),
  inPet('<chip i:nil="true"/>'),
  inPet("<chip><number>1</number></chip>"),
  inPet("", 'id="1" l:lang="de" i:schemaLocation="a b"'),
  `<?xml version="1.0"?><?style href="file:///etc/passwd"?><!-- a --> ${inPet("<n:name><![CDATA[<x>]]></n:name>")}`,
];

const REFUSED: [body: string, pointer: string, keyword: string, message: RegExp][] = [
  ['<pet id="1"/>', "", "xml", /namespace urn:pets/],
  ['<pet xmlns="urn:others" id="1"/>', "", "xml", /namespace urn:pets/],
  ['<dog xmlns="urn:pets" id="1"/>', "", "xml", /root element must be <pet>/],
  [inPet("<name>x</name>"), "/name", "xml", /namespace urn:names/],
  [inPet("", 'id="1" lang="de"'), "/lang", "xml", /namespace urn:lang/],
  [inPet("", 'id="1" l:lang="deu"'), "/lang", "maxLength", /2 characters/],
  [inPet("<labels><tag>1</tag></labels>"), "/tags/0", "xml", /element <label>/],
  [inPet("<labels><label>x</label></labels>"), "/tags/0", "type", /whole number/],
  [inPet("<labels/><labels/>"), "/tags", "xml", /once/],
  [inPet("<alias>1</alias><alias>x</alias>"), "/nick/1", "type", /whole number/],
  [inPet("<chip><number>x</number></chip>"), "/chip/number", "type", /whole number/],
  [inPet('<chip i:nil="false">x</chip>'), "/chip", "type", /object/],
  [inPet("", ""), "/id", "required", /required/],
  ['<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><pet id="1">&x;</pet>', "", "parse", /document type/],
  ['<!DOCTYPE p [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><pet id="1">&b;</pet>', "", "parse", /document type/],
  ['<!DOCTYPE p SYSTEM "http://127.0.0.1/x.dtd"><pet id="1"/>', "", "parse", /document type/],
  [inPet("&x;"), "", "parse", /well-formed/],
  [inPet("", 'id="1" id="2"'), "", "parse", /well-formed/],
  [inPet("<id>1</id>", ""), "/id", "xml", /must be an attribute/],
  [inPet("<tags/>"), "/tags", "xml", /element <labels>/],
  [inPet("<nick>1</nick>"), "/nick", "xml", /element <alias>/],
  [inPet("drop table<alias>1</alias>"), "", "xml", /text beside its elements/],
  [inPet("<labels>1<label>1</label></labels>"), "/tags", "xml", /text beside its elements/],
  [inPet("<chip><number>1</number><![CDATA[x]]></chip>"), "/chip", "xml", /text beside its elements/],
  [`${inPet("")}<pet/>`, "", "parse", /well-formed/],
  ["<a>".repeat(10_000), "", "parse", /256 levels/],
];

test("XML is read by its xml objects: names, namespaces, attributes, wrappers and nil", async (t) => {
  const gateway = await specGateway(t, { document: bodyDocument({ "application/xml": { schema: pet } }) });
  const send = (body: string) => gateway.send("POST", "/", { headers: { "content-type": "application/xml" }, body });
  for (const body of ACCEPTED) {
    const { status, text } = await send(body);
    assert.equal(status, 200, `${body} ${text}`);
    assert.equal(gateway.received.at(-1)?.body.toString(), body);
  }
  for (const [body, pointer, keyword, message] of REFUSED) {
    const { status, json } = await send(body);
    assert.equal(status, 400, body);
    const found = json.violations.find((violation: { keyword: string }) => violation.keyword === keyword);
    assert.equal(found?.pointer, pointer, `${body} ${JSON.stringify(json.violations)}`);
    assert.match(found.message, message);
  }
});

test("text beside elements is what a member with nodeType text or cdata says of it", async (t) => {
  const properties = {
    note: { type: "string", maxLength: 3, xml: { nodeType: "text" } },
    by: { type: "string" },
  };
  const document = bodyDocument({ "application/xml": { schema: { type: "object", properties } } });
  const gateway = await specGateway(t, { document });
  const send = (body: string) => gateway.send("POST", "/", { headers: { "content-type": "application/xml" }, body });
  assert.equal((await send("<r>abc<by>x</by></r>")).status, 200);
  const { status, json } = await send("<r>abcd<by>x</by></r>");
  assert.equal(status, 400);
  assert.equal(json.violations[0].pointer, "/note");
});
