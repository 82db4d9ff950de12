import type { GatewayResponse } from "../core/exchange.ts";
import { findMediaType, type ParsedMediaType } from "../core/media-type.ts";
import type { Operation, ResponseSpec } from "../core/operation.ts";
import { BodyPlan } from "./bodies/body-plan.ts";
import { decompress } from "./bodies/decompress.ts";
import { findContent, UNNAMED_TYPE } from "./bodies/media-match.ts";
import { Malformed } from "./parameters/decode.ts";
import { checkHeader } from "./parameters/header.ts";
import { ParameterPlan } from "./parameters/plan.ts";
import type { Violations } from "./schema/check.ts";

/** How the body of one answer is to be read. */
export interface BodyChoice {
  readonly plan: BodyPlan;
  readonly type: ParsedMediaType;
  readonly coding: string | undefined;
}

interface StatusPlan {
  readonly headers: readonly ParameterPlan[];
  readonly bodies: readonly BodyPlan[];
}

/** `200` before `2XX` before `default` (OpenAPI 3.2 §4.16.1). */
export function findResponse(operation: Operation, status: number): ResponseSpec | undefined {
  const { responses } = operation;
  return responses.get(String(status)) ?? responses.get(`${Math.floor(status / 100)}XX`) ?? responses.get("default");
}

/** What the answers of one operation must be, by status. */
export class ResponseChecks {
  private readonly operation: Operation;
  private readonly plans = new Map<ResponseSpec, StatusPlan>();

  constructor(operation: Operation) {
    this.operation = operation;
  }

  /** Checks status and headers. @returns how the body is to be checked; undefined when it is not */
  checkHead(response: GatewayResponse, violations: Violations): BodyChoice | undefined {
    const { status, headers } = response;
    const spec = findResponse(this.operation, status);
    if (spec === undefined) {
      violations.add("status", "", "status", `the operation has no answer with status ${status}`);
      return undefined;
    }
    const plan = this.planOf(spec);
    for (const header of plan.headers) checkHeader(header, headers, violations);
    if (plan.bodies.length === 0 || status === 204 || status === 205) return undefined;
    const contentType = headers.get("content-type");
    if (response.body === null && contentType === undefined) return undefined;
    const type = findMediaType(contentType ?? UNNAMED_TYPE);
    const body = type && findContent(plan.bodies, type);
    if (type !== undefined && body !== undefined) {
      return body.isWhole(type) ? { plan: body, type, coding: headers.getJoined("content-encoding") } : undefined;
    }
    const declared = plan.bodies.map(({ media }) => media.type).join(" or ");
    violations.add("header", "/content-type", "media-type", `the answer must be ${declared}`);
    return undefined;
  }

  /** @throws GatewayError BODY_TOO_LARGE, MEDIA_TYPE_UNSUPPORTED when the bytes cannot be unpacked */
  async checkBody(choice: BodyChoice, bytes: Buffer, limitBytes: number, violations: Violations): Promise<void> {
    const plain = await decompress(bytes, choice.coding, limitBytes);
    if (plain instanceof Malformed) violations.add("body", "", plain.keyword, plain.message);
    else await choice.plan.checkBeside(plain, choice.type, violations);
  }

  checkItems(choice: BodyChoice, bytes: Buffer, violations: Violations): void {
    if (choice.coding === undefined) choice.plan.checkBytes(bytes, choice.type, violations);
  }

  private planOf(spec: ResponseSpec): StatusPlan {
    let plan = this.plans.get(spec);
    if (plan === undefined) {
      plan = {
        headers: spec.headers
          .filter(({ name }) => name.toLowerCase() !== "content-type")
          .map((header) => new ParameterPlan(this.operation, header, "response")),
        bodies: BodyPlan.all(this.operation, spec.content, "response"),
      };
      this.plans.set(spec, plan);
    }
    return plan;
  }
}
