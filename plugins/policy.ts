import { defineHooks, definePlugin, GatewayError, Type } from "../src/plugin.ts";
import { compileExpression } from "./common/expression.ts";

/** Who may do what, by an {@link compileExpression expression}. */
export default definePlugin({
  name: "policy",
  phase: "authorize",
  options: Type.Object({
    allow: Type.String({ minLength: 1, description: 'Such as "admin" in consumer.groups || request.method == "GET".' }),
    message: Type.String({ default: "the policy does not allow this", description: "Told to who is refused." }),
  }),
  setup({ options, operation, log }) {
    const allow = compileExpression(options.allow, "allow");
    if (allow.type !== "bool" && allow.type !== "dyn") {
      throw new Error(`allow gives ${allow.type}; write an expression that gives true or false`);
    }

    return defineHooks({
      onRequest(exchange) {
        let decision: unknown;
        try {
          decision = allow.evaluate(exchange);
        } catch (error) {
          // A fact that is not there, as a claim that the token lacks, allows nothing.
          log.debug({ err: error, operation: operation.id }, "a policy could not be decided");
        }
        if (decision !== true) throw new GatewayError("FORBIDDEN", options.message);
      },
    });
  },
});
