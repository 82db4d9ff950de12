import { Type } from "../core/type.ts";

const Mode = Type.Union([Type.Literal("enforce"), Type.Literal("report"), Type.Literal("off")]);

/** What is checked against the spec, and what happens when it differs. */
export const ValidateOptions = Type.Object(
  {
    request: Type.Optional({ ...Mode, description: "enforce answers 400, report only counts. Default: enforce." }),
    response: Type.Optional({ ...Mode, description: "enforce answers 502, report only counts. Default: report." }),
    unknownQuery: Type.Optional({
      ...Type.Union([Type.Literal("allow"), Type.Literal("report"), Type.Literal("refuse")]),
      description: "Query parameters that the spec does not have. Default: allow.",
    }),
    defaults: Type.Optional(
      Type.Boolean({
        description: "Send the `default` of query and header parameters that the client left out. Default: false.",
      }),
    ),
    responseBytes: Type.Optional(
      Type.Integer({ minimum: 0, description: "Longer answers are not checked when reporting. Default: 262144." }),
    ),
    responsesPerSecond: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: "How many answers of an operation are checked each second when reporting. Default: 50.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type ValidateOptions = Type.Static<typeof ValidateOptions>;
