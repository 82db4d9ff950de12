import { findMediaType, isJson } from "../core/media-type.ts";
import type { MediaType, Operation, Schema } from "../core/operation.ts";
import type { Finding } from "../openapi/lint.ts";
import type { Spec } from "../openapi/operations.ts";
import { schemaCheck } from "./schema/check.ts";
import type { Direction } from "./schema/evaluation.ts";
import { isObject } from "./schema/keywords.ts";

/** An example of a body, and the node of the document that says where it stands. */
interface Example {
  readonly value: unknown;
  readonly node: object | undefined;
  readonly key?: string;
}

/** Examples of JSON bodies that their own schemas refuse: a mock would send them as they are, and readers believe them. */
export function lintExamples(spec: Spec): Finding[] {
  const places = spec.files.places();
  const findings: Finding[] = [];
  const report = ({ node, key }: Example, message: string): void => {
    findings.push({ ...places.find(node ?? spec.files.root, node === undefined ? undefined : key), message });
  };
  // What is shared by reference is looked at once.
  const seen = new Set<MediaType>();
  for (const operation of spec.operations) {
    for (const [media, direction] of bodiesOf(operation)) {
      if (seen.has(media)) continue;
      seen.add(media);
      lintMedia(operation, media, direction, report);
    }
  }
  return findings;
}

function* bodiesOf({ requestBody, responses }: Operation): Iterable<[MediaType, Direction]> {
  for (const media of requestBody?.content ?? []) yield [media, "request"];
  for (const { content } of responses.values()) for (const media of content) yield [media, "response"];
}

function lintMedia(
  { spec }: Operation,
  media: MediaType,
  direction: Direction,
  report: (example: Example, message: string) => void,
): void {
  const { schema } = media;
  const type = findMediaType(media.type);
  // In other media types an example may be the text that is sent, whatever the schema says of its value.
  if (schema === undefined || type === undefined || !isJson(type)) return;
  for (const example of examplesOf(media, schema)) {
    const [first] = schemaCheck(spec, schema, direction).findings(example.value, 1);
    if (first === undefined) continue;
    const member = first.pointer === "" ? "it" : first.pointer;
    report(example, `the example does not fit its schema: ${member} ${first.message}; mend the one or the other`);
  }
}

function* examplesOf({ example, examples = {} }: MediaType, schema: Schema): Iterable<Example> {
  // A text or number has no node of its own: it stands beside its schema.
  if (example !== undefined) yield { value: example, node: [example, schema].find(isNode) };
  for (const named of Object.values(examples)) {
    if (!isObject(named)) continue;
    for (const key of ["value", "dataValue"])
      if (Object.hasOwn(named, key)) yield { value: named[key], node: named, key };
  }
}

const isNode = (value: unknown): value is object => typeof value === "object" && value !== null;
