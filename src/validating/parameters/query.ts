import type { Operation } from "../../core/operation.ts";
import type { Violations } from "../schema/check.ts";
import { toPointer } from "../violation.ts";
import { decodeForm } from "./decode.ts";
import type { ParameterPlan } from "./plan.ts";
import type { Pair } from "./styles.ts";

/** Names that are written as they are. */
const PLAIN_NAME = /^[A-Za-z0-9_.~-]+$/;
/** Of more parameters, a map finds one faster. */
const MAX_STARTS = 8;

/** Where the name of a query parameter leads: a plan, and what of it the name stands for. */
interface Slot {
  readonly index: number;
  /** A member of an object that is written as parameters of their own. */
  readonly isMember: boolean;
}

/**
 * Reads the query by the parameters that the operation declares, without an object for each pair: names nobody declared
 * cost a look-up in a map that no client can fill.
 */
export class QueryPlan {
  private readonly plans: readonly ParameterPlan[];
  private readonly reportsUnknown: boolean;
  private readonly otherNames: ReadonlySet<string>;
  private slots: Map<string, Slot> | undefined = undefined;
  private deepObjects: Map<string, number> | undefined = undefined;
  private freeForm = -1;
  /** Of each plan what stands before its value; empty where that takes a closer look. */
  private starts: readonly string[] = [];

  /** @param reportsUnknown names that nobody declared are violations */
  constructor(plans: readonly ParameterPlan[], operation: Operation, reportsUnknown: boolean) {
    this.plans = plans;
    this.reportsUnknown = reportsUnknown;
    this.otherNames = reportsUnknown ? apiKeyNames(operation, "query") : new Set();
  }

  check(query: string, violations: Violations): void {
    const slots = this.slots ?? this.build();
    const values: (string | string[] | undefined)[] = new Array(this.plans.length).fill(undefined);
    let members: Pair[][] | undefined;
    let expected = 0;
    for (let start = 0; start < query.length; ) {
      const ampersand = query.indexOf("&", start);
      const end = ampersand < 0 ? query.length : ampersand;
      const known = end > start ? this.findPlain(query, start, expected) : -1;
      if (known >= 0) {
        add(values, known, query.slice(start + (this.starts[known] as string).length, end));
        expected = known + 1;
      } else if (end > start) {
        const equals = query.indexOf("=", start);
        const nameEnd = equals < 0 || equals > end ? end : equals;
        const value = nameEnd < end ? query.slice(nameEnd + 1, end) : "";
        const name = nameOf(query.slice(start, nameEnd));
        const slot = slots.get(name) ?? this.findSlot(name);
        if (slot === undefined) this.unknown(name, violations);
        else if (slot.isMember) {
          members ??= this.plans.map(() => []);
          (members[slot.index] as Pair[]).push([memberOf(name, this.plans[slot.index] as ParameterPlan), value]);
        } else add(values, slot.index, value);
      }
      start = end + 1;
    }
    for (let i = 0; i < this.plans.length; i++) {
      const plan = this.plans[i] as ParameterPlan;
      const value = values[i];
      if (typeof value === "string") plan.checkValue(value, violations);
      else if (value !== undefined) plan.checkValues(value, violations);
      else if (members !== undefined && (members[i] as Pair[]).length > 0)
        plan.checkMembers(members[i] as Pair[], violations);
      else if (plan.parameter.required) plan.reportMissing(violations);
    }
  }

  /** The plan whose name stands next as it is; parameters mostly come in the order of the document. */
  private findPlain(query: string, at: number, expected: number): number {
    const { starts } = this;
    const count = starts.length;
    for (let i = 0, index = expected; i < count; i++, index++) {
      if (index >= count) index -= count;
      const start = starts[index] as string;
      if (start !== "" && query.startsWith(start, at)) return index;
    }
    return -1;
  }

  private findSlot(name: string): Slot | undefined {
    const bracket = name.indexOf("[");
    const deep = bracket > 0 ? this.deepObjects?.get(name.slice(0, bracket)) : undefined;
    if (deep !== undefined) return { index: deep, isMember: true };
    return this.freeForm < 0 || this.otherNames.has(name) ? undefined : { index: this.freeForm, isMember: true };
  }

  private unknown(name: string, violations: Violations): void {
    if (!this.reportsUnknown || this.otherNames.has(name)) return;
    violations.add("query", toPointer(name), "unknown", "is not a parameter of this operation");
  }

  private build(): Map<string, Slot> {
    const slots = new Map<string, Slot>();
    this.plans.forEach((plan, index) => {
      const { style, explode, content } = plan.parameter;
      if (style === "deepObject") {
        this.deepObjects ??= new Map();
        this.deepObjects.set(plan.parameter.name, index);
      } else if (content === undefined && style === "form" && explode && plan.shape.isObject && !plan.shape.isScalar) {
        for (const name of plan.shape.properties.keys())
          if (!slots.has(name)) slots.set(name, { index, isMember: true });
        if (plan.shape.isFreeForm && plan.shape.additional !== null) this.freeForm = index;
        return;
      }
      slots.set(plan.parameter.name, { index, isMember: false });
    });
    if (this.plans.length <= MAX_STARTS) {
      this.starts = this.plans.map(({ parameter: { name } }, index) => {
        const slot = slots.get(name);
        return slot?.index === index && !slot.isMember && PLAIN_NAME.test(name) ? `${name}=` : "";
      });
    }
    this.slots = slots;
    return slots;
  }
}

const nameOf = (raw: string): string => decodeForm(raw, false) ?? raw;

const memberOf = (name: string, { parameter }: ParameterPlan): string =>
  parameter.style === "deepObject"
    ? name.slice(parameter.name.length)
    : name.replaceAll("%", "%25").replaceAll("+", "%2B");

function add(values: (string | string[] | undefined)[], index: number, value: string): void {
  const known = values[index];
  if (known === undefined) values[index] = value;
  else if (typeof known === "string") values[index] = [known, value];
  else known.push(value);
}

/** Security schemes name parameters, too. */
export function apiKeyNames(operation: Operation, place: string): Set<string> {
  const { components } = operation.spec.document as { components?: { securitySchemes?: Record<string, unknown> } };
  const names = new Set<string>();
  for (const scheme of Object.values(components?.securitySchemes ?? {})) {
    const { in: where, name } = (scheme ?? {}) as { in?: unknown; name?: unknown };
    if (where === place && typeof name === "string") names.add(name);
  }
  return names;
}
