const TOKEN =
  /\s*(?:("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|([{}[\],:]))/y;

/** What may come next in a text of JSON. */
type Expected = "value" | "value-or-end" | "key" | "key-or-end" | "colon" | "comma-or-end" | "nothing";

/**
 * Where a text stops being JSON: `JSON.parse` does not say so on every version of Node.
 * @returns the offset of what should not be there; the length of the text when something is missing at its end
 */
export function findJsonError(text: string): number {
  const open: ("{" | "[")[] = [];
  let expected: Expected = "value";
  let end = 0;
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [, string, scalar, sign] = match;
    const start = TOKEN.lastIndex - (string ?? scalar ?? sign ?? "").length;
    const next = step(expected, open, string !== undefined ? "string" : scalar !== undefined ? "scalar" : (sign ?? ""));
    if (next === undefined) return start;
    expected = next;
    end = TOKEN.lastIndex;
  }
  const rest = /^\s*/.exec(text.slice(end))?.[0].length ?? 0;
  return end + rest;
}

/** @param open is changed @returns undefined when the token may not stand there */
function step(expected: Expected, open: ("{" | "[")[], token: string): Expected | undefined {
  const isValue = expected === "value" || expected === "value-or-end";
  const after = (): Expected => (open.length === 0 ? "nothing" : "comma-or-end");
  switch (token) {
    case "string":
      if (expected === "key" || expected === "key-or-end") return "colon";
      return isValue ? after() : undefined;
    case "scalar":
      return isValue ? after() : undefined;
    case "{":
    case "[":
      if (!isValue) return undefined;
      open.push(token);
      return token === "{" ? "key-or-end" : "value-or-end";
    case ":":
      return expected === "colon" ? "value" : undefined;
    case ",":
      if (expected !== "comma-or-end") return undefined;
      return open[open.length - 1] === "{" ? "key" : "value";
    default:
      return close(expected, open, token) ? after() : undefined;
  }
}

function close(expected: Expected, open: ("{" | "[")[], token: string): boolean {
  const isMap = open[open.length - 1] === "{";
  const mayEnd = expected === "comma-or-end" || expected === (isMap ? "key-or-end" : "value-or-end");
  if (open.length === 0 || !mayEnd || token !== (isMap ? "}" : "]")) return false;
  open.pop();
  return true;
}
