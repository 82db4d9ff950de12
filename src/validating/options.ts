import Type from "typebox";

const Mode = Type.Union([Type.Literal("enforce"), Type.Literal("report"), Type.Literal("off")]);

/** What is checked against the spec, and what happens when it differs. */
export const ValidateOptions = Type.Object(
  {
    request: Type.Optional({ ...Mode, description: "enforce answers 400, report only counts. Default: enforce." }),
    response: Type.Optional({ ...Mode, description: "enforce answers 502, report only counts. Default: report." }),
  },
  { additionalProperties: false },
);
export type ValidateOptions = Type.Static<typeof ValidateOptions>;
