import { definePlugin, HeaderList, Type } from "../src/plugin.ts";
import { escapeHeader } from "./transforming/escape.ts";
import { compileTemplate } from "./transforming/template.ts";

export default definePlugin({
  name: "respond",
  phase: "transform",
  options: Type.Object(
    {
      status: Type.Integer({ default: 200, minimum: 200, maximum: 599, description: "Status of the answer." }),
      headers: Type.Record(Type.String(), Type.String(), {
        default: {},
        description: "Fields of the answer; values may hold ${…}.",
      }),
      body: Type.Optional(Type.Unknown({ description: "A text as it is; anything else as JSON." })),
    },
    { additionalProperties: false },
  ),
  setup({ options }) {
    const { status, body } = options;
    const isText = typeof body === "string";
    const bytes = body === undefined ? null : Buffer.from(isText ? body : JSON.stringify(body));
    const fields = Object.entries(options.headers).map(([name, text]) => ({
      name,
      read: compileTemplate(text, escapeHeader),
    }));
    const hasType = fields.some(({ name }) => name.toLowerCase() === "content-type");
    return async function respondAlone(exchange) {
      const headers = new HeaderList();
      if (bytes !== null && !hasType)
        headers.append("Content-Type", isText ? "text/plain; charset=utf-8" : "application/json");
      for (const { name, read } of fields) {
        const value = read(exchange);
        if (value !== undefined) headers.set(name, value);
      }
      if (status !== 204 && status !== 304) headers.set("Content-Length", String(bytes?.length ?? 0));
      return { status, headers, body: status === 204 || status === 304 ? null : bytes };
    };
  },
});
