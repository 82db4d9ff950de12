import type { StoredAnswer } from "./answer.ts";

/** The names of operations, each once. Bounded by the routes that were ever loaded. */
export class OperationNames {
  /** By their id, then by their name: both are found by a hash that they have already. */
  private readonly numbers = new Map<string, Map<string, number>>();
  private readonly names: { readonly operation: string; readonly operationName: string }[] = [];
  /** Nearly always the one before was of the same operation. */
  private last = 0;

  numberOf(answer: StoredAnswer): number {
    const last = this.names[this.last];
    if (last?.operation !== answer.operation || last.operationName !== answer.operationName) {
      this.last = this.findNumber(answer);
    }
    return this.last;
  }

  private findNumber({ operation, operationName }: StoredAnswer): number {
    let named = this.numbers.get(operation);
    if (named === undefined) {
      named = new Map();
      this.numbers.set(operation, named);
    }
    let number = named.get(operationName);
    if (number === undefined) {
      number = this.names.push({ operation, operationName }) - 1;
      named.set(operationName, number);
    }
    return number;
  }

  at(number: number): { readonly operation: string; readonly operationName: string } {
    return this.names[number] as { operation: string; operationName: string };
  }
}
