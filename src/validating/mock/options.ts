import { Type } from "../../core/type.ts";

/** Answers made from the spec, in the place of a service. */
export const MockOptions = Type.Union(
  [
    Type.Boolean(),
    Type.Object(
      {
        delayMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 60_000, description: "Waits before it answers." })),
        dynamic: Type.Optional(
          Type.Boolean({ description: "Make values up where no Prefer says otherwise, even with examples." }),
        ),
      },
      { additionalProperties: false },
    ),
  ],
  {
    description:
      "Answer from the spec: always where the route has no upstream, else when a request asks with Prefer. Default: false.",
  },
);
export type MockOptions = Type.Static<typeof MockOptions>;
