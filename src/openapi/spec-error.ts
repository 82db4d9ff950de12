import type { SourceLocation } from "../core/operation.ts";

/** What is wrong with a document, where, and what to do. */
export class SpecError extends Error {
  readonly location: SourceLocation;

  constructor(message: string, location: SourceLocation, options?: ErrorOptions) {
    super(message, options);
    this.name = "SpecError";
    this.location = location;
  }
}
