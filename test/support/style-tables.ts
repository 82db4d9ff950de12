/** What a value of a parameter looks like on the wire, and what it must be read as. */
export interface StyleRow {
  readonly in: "path" | "query" | "header" | "cookie";
  readonly style: string;
  readonly explode: boolean;
  readonly schema: object;
  /** A path segment; a query; the value of a header or of the field `Cookie`. */
  readonly wire: string;
  /** What is decoded; undefined: the request is refused. */
  readonly value: unknown;
  readonly more?: object;
  /** What it may be read as, too: where the specifications leave two readings, the one that is valid counts. */
  readonly others?: readonly unknown[];
}

const text = { type: "string" };
const integer = { type: "integer" };
const texts = { type: "array", items: text };
const COLORS = ["blue", "black", "brown"];
const RGB = { R: 100, G: 200, B: 150 };
const rgb = { type: "object", properties: { R: integer, G: integer, B: integer } };

type Cells = [style: string, explode: boolean, text: string, list: string | undefined, object: string | undefined];

/** The table of OpenAPI 3.2 §4.12.6.1, line by line. `undefined` is its "n/a". */
const SPECIFIED: Readonly<Record<StyleRow["in"], readonly Cells[]>> = {
  path: [
    ["matrix", false, ";color=blue", ";color=blue,black,brown", ";color=R,100,G,200,B,150"],
    ["matrix", true, ";color=blue", ";color=blue;color=black;color=brown", ";R=100;G=200;B=150"],
    ["label", false, ".blue", ".blue,black,brown", ".R,100,G,200,B,150"],
    ["label", true, ".blue", ".blue.black.brown", ".R=100.G=200.B=150"],
    ["simple", false, "blue", "blue,black,brown", "R,100,G,200,B,150"],
    ["simple", true, "blue", "blue,black,brown", "R=100,G=200,B=150"],
  ],
  query: [
    ["form", false, "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"],
    ["form", true, "color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"],
    ["spaceDelimited", false, "", "color=blue%20black%20brown", "color=R%20100%20G%20200%20B%20150"],
    ["pipeDelimited", false, "", "color=blue%7Cblack%7Cbrown", "color=R%7C100%7CG%7C200%7CB%7C150"],
    ["deepObject", true, "", undefined, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"],
  ],
  header: [
    ["simple", false, "blue", "blue,black,brown", "R,100,G,200,B,150"],
    ["simple", true, "blue", "blue,black,brown", "R=100,G=200,B=150"],
  ],
  cookie: [
    ["form", false, "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"],
    ["form", true, "color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"],
    ["cookie", false, "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"],
    ["cookie", true, "color=blue", "color=blue; color=black; color=brown", "R=100; G=200; B=150"],
  ],
};

export const specifiedRows: readonly StyleRow[] = Object.entries(SPECIFIED).flatMap(([where, lines]) =>
  lines.flatMap(([style, explode, word, list, object]): StyleRow[] => {
    const base = { in: where as StyleRow["in"], style, explode };
    return [
      ...(word === "" ? [] : [{ ...base, schema: text, wire: word, value: "blue" }]),
      ...(list === undefined ? [] : [{ ...base, schema: texts, wire: list, value: COLORS }]),
      ...(object === undefined ? [] : [{ ...base, schema: rgb, wire: object, value: RGB }]),
    ];
  }),
);

const path = (style: string, explode: boolean, schema: object, wire: string, value: unknown): StyleRow => ({
  in: "path",
  style,
  explode,
  schema,
  wire,
  value,
});
const query = (
  style: string,
  explode: boolean,
  schema: object,
  wire: string,
  value: unknown,
  more: object = {},
): StyleRow => ({ in: "query", style, explode, schema, wire, value, more });
const header = (explode: boolean, schema: object, wire: string, value: unknown): StyleRow => ({
  in: "header",
  style: "simple",
  explode,
  schema,
  wire,
  value,
});
const cookie = (style: string, explode: boolean, schema: object, wire: string, value: unknown): StyleRow => ({
  in: "cookie",
  style,
  explode,
  schema,
  wire,
  value,
});

const person = { type: "object", properties: { id: text, name: text } };
const anyObject = { type: "object" };
const maps = { type: "object", additionalProperties: integer };
const WRONG = undefined;
const or = (row: StyleRow, ...others: unknown[]): StyleRow => ({ ...row, others });

/** Every location, style and `explode` where the table of the specification stops: types, encodings, empty values. */
export const furtherRows: readonly StyleRow[] = [
  // Types.
  path("simple", false, text, "foo", "foo"),
  path("simple", false, text, "1", "1"),
  path("simple", false, text, "a,b", "a,b"),
  path("simple", false, integer, "1", 1),
  path("simple", false, integer, "foo", WRONG),
  path("simple", false, { type: "number" }, "1.1", 1.1),
  path("simple", false, { type: "boolean" }, "true", true),
  path("simple", false, { type: "boolean" }, "1", WRONG),
  path("simple", false, { type: "array", items: integer }, "1,2", [1, 2]),
  path("simple", false, { type: "array", items: integer }, "1,foo", WRONG),
  path("simple", false, { type: "array", items: { type: "boolean" } }, "true,false", [true, false]),
  path("simple", false, { type: "array", items: { type: "number" } }, "1.5,-2e3", [1.5, -2000]),
  path("simple", false, { type: "array" }, "a,1", ["a", "1"]),
  path("simple", false, anyObject, "id,foo,name,bar", { id: "foo", name: "bar" }),
  path("simple", false, maps, "a,1,b,2", { a: 1, b: 2 }),
  path("simple", false, anyObject, "id,foo,name", WRONG),
  path("simple", true, anyObject, "id,foo", WRONG),
  path("simple", true, person, "id=foo,name=bar", { id: "foo", name: "bar" }),
  path("simple", true, person, "id=,name=b=c", { id: "", name: "b=c" }),
  // What a path's styles put before the value.
  path("label", false, text, "foo", WRONG),
  path("label", true, text, "foo", WRONG),
  path("label", false, texts, "foo,bar", WRONG),
  path("label", true, texts, "foo.bar", WRONG),
  path("label", false, person, "id,foo,name,bar", WRONG),
  path("label", true, person, "id=foo.name=bar", WRONG),
  // A dot alone is a dot segment: no path may have it.
  path("label", false, texts, ".", WRONG),
  path("label", true, { type: "array", items: { type: "number" } }, ".3.4", [3, 4]),
  path("label", false, text, ".a.b", "a.b"),
  // The tables of 3.0.0 to 3.0.3 and 3.1.0 part an unexploded label by dots; the later ones by commas.
  or(path("label", false, texts, ".blue.black.brown", COLORS), ["blue.black.brown"]),
  path("label", false, rgb, ".R.100.G.200.B.150", RGB),
  path("label", true, person, ".id=foo,name=bar", { id: "foo,name=bar" }),
  path("matrix", false, text, "foo", WRONG),
  path("matrix", false, text, ";value", WRONG),
  path("matrix", false, text, ";colour=foo", WRONG),
  path("matrix", false, texts, "foo,bar", WRONG),
  path("matrix", true, texts, ";other=foo;other=bar", WRONG),
  path("matrix", true, texts, ";color=foo;other=bar", WRONG),
  path("matrix", true, person, "id=foo;name=bar", WRONG),
  path("matrix", false, text, ";color", ""),
  path("matrix", false, text, ";color=", ""),
  or(path("matrix", false, texts, ";color=", []), [""]),
  or(path("matrix", false, texts, ";color", []), [""]),
  path("matrix", true, { type: "array", items: integer }, ";color=3;color=4", [3, 4]),
  path("matrix", true, person, ";id=foo;name=bar", { id: "foo", name: "bar" }),
  // Encodings: a list is parted before its items are decoded.
  path("simple", false, texts, "a%2Cb,c", ["a,b", "c"]),
  path("simple", false, texts, "a%2Fb,c%20d", ["a/b", "c d"]),
  path("simple", false, person, "id,a%2Cb,name,c", { id: "a,b", name: "c" }),
  path("simple", true, person, "id=a%3Db,name=c%2Cd", { id: "a=b", name: "c,d" }),
  path("label", true, texts, ".a%2Eb.c", ["a", "b", "c"]),
  path("matrix", true, texts, ";color=a%3Bb;color=c", ["a;b", "c"]),
  path("simple", false, text, "%C3%A4%20b", "ä b"),
  path("simple", false, text, "100%25", "100%"),
  path("simple", false, texts, "100%25,%2525", ["100%", "%25"]),
  path("simple", false, text, "a+b", "a+b"),
  path("simple", false, text, "~a!$&'()*+=:@", "~a!$&'()*+=:@"),
  // The query: form.
  query("form", true, text, "color=", ""),
  query("form", true, text, "color", ""),
  or(query("form", true, text, "color=a+b", "a b"), "a+b"),
  query("form", true, text, "color=a%2Bb", "a+b"),
  query("form", true, text, "color=a=b", "a=b"),
  query("form", true, text, "color=a/?:@!$'()*,;b", "a/?:@!$'()*,;b"),
  query("form", true, text, "color=a,b", "a,b"),
  query("form", true, text, "x=1&color=b&&y", "b"),
  query("form", true, text, "color=a&color=b", WRONG),
  query("form", false, text, "color=a&color=b", WRONG),
  query("form", true, integer, "color=1", 1),
  query("form", true, integer, "color=1.0", 1),
  query("form", true, integer, "color=", WRONG),
  query("form", true, integer, "color=01", WRONG),
  query("form", true, integer, "color=+1", WRONG),
  query("form", true, integer, "color=0x1F", WRONG),
  query("form", true, { type: "number" }, "color=1.1", 1.1),
  query("form", true, { type: "number" }, "color=NaN", WRONG),
  query("form", true, { type: "number" }, "color=Infinity", WRONG),
  query("form", true, { type: "boolean" }, "color=true", true),
  query("form", true, { type: "boolean" }, "color=True", WRONG),
  query("form", true, { type: ["integer", "null"] }, "color=", null),
  query("form", true, { allOf: [integer, { type: "number" }] }, "color=1", 1),
  or(query("form", true, { anyOf: [integer, text] }, "color=1", 1), "1"),
  query("form", true, { anyOf: [integer, text] }, "color=abdf", "abdf"),
  query("form", true, { oneOf: [{ type: "boolean" }, integer] }, "color=true", true),
  query("form", true, { oneOf: [{ type: "boolean" }, integer] }, "color=1122", 1122),
  query("form", true, { type: "array", items: integer }, "color=1&color=2", [1, 2]),
  query("form", true, { type: "array", items: integer }, "color=1&color=foo", WRONG),
  or(query("form", true, { type: "array", items: { anyOf: [integer, text] } }, "color=1&color=a", [1, "a"]), [
    "1",
    "a",
  ]),
  query("form", true, { type: "array", items: { allOf: [integer, { type: "number" }] } }, "color=1&color=2", [1, 2]),
  query("form", true, texts, "color=one", ["one"]),
  query("form", true, texts, "color=a,b", ["a,b"]),
  query("form", true, texts, "color=&color=a", ["", "a"]),
  query("form", true, texts, "color=a%26b&color=c%3Dd", ["a&b", "c=d"]),
  query("form", true, person, "id=foo&name=bar", { id: "foo", name: "bar" }),
  query("form", true, person, "id=foo&other=1", { id: "foo" }),
  query("form", true, maps, "a=1&b=2", { a: 1, b: 2 }),
  query("form", false, texts, "color=one", ["one"]),
  or(query("form", false, texts, "color=", []), [""]),
  query("form", false, texts, "color=a,,b", ["a", "", "b"]),
  query("form", false, texts, "color=a%2Cb,c", ["a,b", "c"]),
  query("form", false, texts, "color=a,b&color=c", WRONG),
  or(query("form", false, texts, "color=a+b,c", ["a b", "c"]), ["a+b", "c"]),
  query("form", false, person, "color=id,foo,name,bar", { id: "foo", name: "bar" }),
  query("form", false, person, "color=id,a%2Cb", { id: "a,b" }),
  query("form", false, person, "color=id,foo,name", WRONG),
  query("form", false, person, "color=id,1&color=name,2", WRONG),
  // The delimited styles.
  query("spaceDelimited", false, texts, "color=a+b", ["a", "b"]),
  query("spaceDelimited", false, { type: "array", items: integer }, "color=1%202", [1, 2]),
  query("spaceDelimited", false, texts, "color=a%2Cb%20c", ["a,b", "c"]),
  query("spaceDelimited", true, texts, "color=a&color=b", ["a", "b"]),
  query("pipeDelimited", false, texts, "color=a|b", ["a", "b"]),
  query("pipeDelimited", false, { type: "array", items: integer }, "color=1%7C2", [1, 2]),
  query("pipeDelimited", false, texts, "color=a", ["a"]),
  query("pipeDelimited", false, texts, "color=a,b", ["a,b"]),
  query("pipeDelimited", true, texts, "color=a&color=b", ["a", "b"]),
  query("pipeDelimited", false, person, "color=id|1|name", WRONG),
  // deepObject.
  query("deepObject", true, person, "color[id]=foo&color[name]=bar", { id: "foo", name: "bar" }),
  query("deepObject", true, anyObject, "color[R]=100&other[0]=x", { R: "100" }),
  query("deepObject", true, maps, "color[a]=1&color[b]=2", { a: 1, b: 2 }),
  query("deepObject", true, person, "color[id]=a%26b", { id: "a&b" }),
  query("deepObject", true, person, "color[id]=", { id: "" }),
  query("deepObject", true, person, "color[id]=1&color[id]=2", WRONG),
  query(
    "deepObject",
    true,
    { type: "object", properties: { ids: { type: "array", items: integer } } },
    "color[ids]=1&color[ids]=2",
    { ids: [1, 2] },
  ),
  query(
    "deepObject",
    true,
    { type: "object", properties: { ids: { type: "array", items: integer } } },
    "color[ids][0]=1&color[ids][1]=2",
    { ids: [1, 2] },
  ),
  query(
    "deepObject",
    true,
    { type: "object", properties: { a: { type: "object", properties: { b: { type: "boolean" } } } } },
    "color[a][b]=true",
    { a: { b: true } },
  ),
  query(
    "deepObject",
    true,
    {
      type: "object",
      properties: { c: { type: "array", items: { type: "object", properties: { a: text, n: integer } } } },
    },
    "color[c][0][a]=x&color[c][0][n]=1&color[c][1][a]=y",
    { c: [{ a: "x", n: 1 }, { a: "y" }] },
  ),
  // allowReserved and allowEmptyValue.
  query("form", true, text, "color=a/b?c", "a/b?c", { allowReserved: true }),
  query("form", true, text, "color=a+b", "a+b", { allowReserved: true }),
  query("form", false, texts, "color=a/b,c?d", ["a/b", "c?d"], { allowReserved: true }),
  query("form", true, text, "color=a%20b", "a b", { allowReserved: true }),
  // Headers and cookies: nothing is decoded in them but what form does.
  header(false, text, "a%20b", "a%20b"),
  header(false, text, "a,b", "a,b"),
  header(false, integer, "5", 5),
  header(false, { type: "boolean" }, "false", false),
  header(false, texts, "a, b,c", ["a", "b", "c"]),
  header(false, { type: "array", items: integer }, "1, 2", [1, 2]),
  header(false, person, "id,foo,name,bar", { id: "foo", name: "bar" }),
  header(false, person, "id,foo,name", WRONG),
  header(true, person, "id=foo, name=bar", { id: "foo", name: "bar" }),
  header(true, person, "id,foo", WRONG),
  cookie("form", true, text, "color=a%20b", "a b"),
  cookie("form", true, text, "other=1; color=blue; last=2", "blue"),
  cookie("form", true, integer, "color=5", 5),
  cookie("form", true, text, 'color="blue"', "blue"),
  cookie("form", true, text, "color=", ""),
  cookie("form", false, texts, "color=a,b", ["a", "b"]),
  cookie("form", false, texts, "color=a%2Cb,c", ["a,b", "c"]),
  cookie("form", false, person, "color=id,foo,name,bar", { id: "foo", name: "bar" }),
  cookie("form", true, texts, "color=one", ["one"]),
  cookie("cookie", true, text, "color=a%20b", "a%20b"),
  cookie("cookie", true, text, "color=a+b", "a+b"),
  cookie("cookie", true, person, "id=foo; name=bar", { id: "foo", name: "bar" }),
  cookie("cookie", true, { type: "array", items: integer }, "color=1; color=2", [1, 2]),
  cookie("cookie", false, { type: "array", items: integer }, "color=1,2", [1, 2]),
];
