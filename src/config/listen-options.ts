import Type from "typebox";

const strict = { additionalProperties: false } as const;
const Size = Type.Union([Type.String(), Type.Number({ minimum: 0 })], { description: "A size such as 32KiB." });

export const ListenOptions = Type.Object(
  {
    host: Type.Optional(Type.String({ description: "Default: 127.0.0.1." })),
    port: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 65535, description: "Default: 8080; 0 takes a free one." }),
    ),
  },
  strict,
);
export type ListenOptions = Type.Static<typeof ListenOptions>;

export const LimitOptions = Type.Object(
  {
    headerBytes: Type.Optional(Size),
    headers: Type.Optional(Type.Integer({ minimum: 1, description: "Header fields in a request. Default: 100." })),
    bodyBytes: Type.Optional(Size),
  },
  strict,
);
export type LimitOptions = Type.Static<typeof LimitOptions>;
