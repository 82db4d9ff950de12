import { contains, items, prefixItems, unevaluatedItems } from "./array-keywords.ts";
import { ASSERTED_CONTENT, assertedContent } from "./content.ts";
import type { Apply } from "./evaluation.ts";
import { allOf, anyOf, conditional, not, oneOf, reference } from "./logic-keywords.ts";
import {
  additionalProperties,
  dependentRequired,
  dependentSchemas,
  patternProperties,
  properties,
  propertyNames,
  required,
  unevaluatedProperties,
} from "./object-keywords.ts";

/** In the order in which they need each other: the unevaluated ones look at what all others have seen. */
export const APPLICATORS: readonly { readonly keyword: string; readonly apply: Apply }[] = [
  { keyword: "$ref", apply: reference("$ref") },
  { keyword: "$dynamicRef", apply: reference("$dynamicRef") },
  { keyword: "required", apply: required },
  { keyword: "dependentRequired", apply: dependentRequired },
  { keyword: "properties", apply: properties },
  { keyword: "patternProperties", apply: patternProperties },
  { keyword: "additionalProperties", apply: additionalProperties },
  { keyword: "propertyNames", apply: propertyNames },
  { keyword: "prefixItems", apply: prefixItems },
  { keyword: "items", apply: items },
  { keyword: "contains", apply: contains },
  { keyword: "allOf", apply: allOf },
  { keyword: "anyOf", apply: anyOf },
  { keyword: "oneOf", apply: oneOf },
  { keyword: "not", apply: not },
  { keyword: "if", apply: conditional },
  { keyword: "dependentSchemas", apply: dependentSchemas },
  { keyword: ASSERTED_CONTENT, apply: assertedContent },
  { keyword: "unevaluatedItems", apply: unevaluatedItems },
  { keyword: "unevaluatedProperties", apply: unevaluatedProperties },
];
