import { defineHooks, definePlugin, Type } from "../src/plugin.ts";
import { escapeQuery, escapeSegment } from "./transforming/escape.ts";
import { compileTemplate } from "./transforming/template.ts";

const Pairs = Type.Record(Type.String(), Type.String());

export default definePlugin({
  name: "rewrite",
  phase: "transform",
  options: Type.Object(
    {
      path: Type.Optional(
        Type.String({
          pattern: "^/",
          description: "The path that the service is asked for, below the prefix, as /v2/animals/${params.id}.",
        }),
      ),
      query: Type.Optional(
        Type.Object(
          {
            remove: Type.Optional(Type.Array(Type.String(), { description: 'Parameters; ["*"] removes all.' })),
            rename: Type.Optional({ ...Pairs, description: "Old name to new name." }),
            set: Type.Optional({ ...Pairs, description: "Replaces the parameter, or adds it." }),
          },
          { additionalProperties: false, description: "Changes to the query, in the order remove, rename, set." },
        ),
      ),
      method: Type.Optional(
        Type.String({ pattern: "^[A-Z]+$", description: "The method that the service is asked with." }),
      ),
    },
    { additionalProperties: false, minProperties: 1 },
  ),
  setup({ options, operation }) {
    const prefix = operation.publicPath.slice(0, operation.publicPath.length - operation.path.length);
    const path = options.path === undefined ? undefined : compileTemplate(options.path, escapeSegment);
    const changeQuery = options.query && compileQueryChanges(options.query);
    const { method } = options;
    return defineHooks({
      onRequest(exchange) {
        const { request } = exchange;
        // All are read before any is written: a template sees the request as it came.
        const newPath = path?.(exchange);
        const newQuery = changeQuery?.(exchange);
        if (newPath !== undefined) request.path = prefix + newPath;
        if (newQuery !== undefined) request.query = newQuery;
        if (method !== undefined) request.method = method;
      },
    });
  },
});

interface QueryChanges {
  readonly remove?: readonly string[];
  readonly rename?: Readonly<Record<string, string>>;
  readonly set?: Readonly<Record<string, string>>;
}

/** Works on the text: what is not changed keeps its spelling and its order. */
function compileQueryChanges({ remove = [], rename = {}, set = {} }: QueryChanges) {
  const isRemoved = remove.includes("*") ? () => true : (name: string) => remove.includes(name);
  const added = Object.entries(set).map(([name, text]) => ({ name, read: compileTemplate(text, escapeQuery) }));
  return (exchange: Parameters<ReturnType<typeof compileTemplate>>[0]): string => {
    const values = added.map(({ read }) => read(exchange));
    const kept = exchange.request.query.split("&").flatMap((pair) => {
      const name = decodeName(pair);
      if (pair === "" || isRemoved(name)) return [];
      if (added.some((each, i) => each.name === name && values[i] !== undefined)) return [];
      const equals = pair.indexOf("=");
      const renamed = Object.hasOwn(rename, name) ? rename[name] : undefined;
      return [renamed === undefined ? pair : encodeURIComponent(renamed) + (equals < 0 ? "" : pair.slice(equals))];
    });
    added.forEach(({ name }, i) => {
      if (values[i] !== undefined) kept.push(`${encodeURIComponent(name)}=${values[i]}`);
    });
    return kept.join("&");
  };
}

function decodeName(pair: string): string {
  const equals = pair.indexOf("=");
  const name = (equals < 0 ? pair : pair.slice(0, equals)).replaceAll("+", " ");
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
