import {
  BOUNDARY,
  CHARACTER,
  CLEAR,
  EACH,
  END,
  type Instruction,
  JUMP,
  LOOK,
  MATCH,
  MOVED,
  type PatternProgram,
  REFERENCE,
  REMEMBER,
  RUN,
  SAVE,
  SPLIT,
  START,
} from "./pattern-program.ts";
import { isBoundary, isPair, NOWHERE, placeAfter, placeBefore, readCharacter } from "./pattern-text.ts";

/** What may still be tried; below 0 when that was not enough. */
export interface StepBudget {
  steps: number;
}

// What is known of an instruction at a place: that a match from there fails, or is tried just now, or that it succeeds.
const FAILS = 1;
const MATCHES = 2;

// What a frame of the stack is for: what else there is to try, a try that is under way, shorter runs, the old value of a register.
const OTHER = 0;
const TRIED = 1;
const SHORTER = 2;
const RESTORE = 3;
const FRAME = 5;

const UNSET = -1;
/** Cells of the table that one step pays for: to clear memory is quicker than to read it. */
const CELLS_A_STEP = 16;
/** Bytes of the largest table: far beyond what a body has room for, but with patterns of hundreds of repetitions. */
const MOST_CELLS = 1 << 26;
const FIRST_FRAMES = 64;
const EMPTY = new Uint8Array(0);

/**
 * Runs a pattern by backtracking and tries nothing twice at one place of a text, so that its time is linear in the length of
 * the text, with lookarounds, too (Davis et al., Using Selective Memoization to Defeat Regular Expression Denial of
 * Service, 2021). With backreferences what follows depends on what groups have matched, and only the budget is a bound.
 */
export class PatternMachine {
  private readonly program: PatternProgram;
  private text = "";
  private steps = 0;
  private table: Uint8Array = EMPTY;
  private stack = new Int32Array(FIRST_FRAMES * FRAME);
  private top = 0;
  /** Where in the text to go on after `back`. */
  private resumed = 0;
  private readonly registers: Int32Array;

  constructor(program: PatternProgram) {
    this.program = program;
    this.registers = new Int32Array(program.registers);
  }

  /**
   * @param budget is charged with the steps
   * @returns false, too, when the budget was not enough
   */
  test(text: string, budget: StepBudget): boolean {
    const cells = this.program.columns * (text.length + 1);
    this.steps = budget.steps - Math.ceil(cells / CELLS_A_STEP);
    if (this.steps < 0 || cells > MOST_CELLS) return false;
    this.text = text;
    this.table = cells === 0 ? EMPTY : new Uint8Array(cells);
    const isFound = this.search();
    budget.steps = this.steps;
    this.text = "";
    this.table = EMPTY;
    if (this.stack.length > FIRST_FRAMES * FRAME) this.stack = new Int32Array(FIRST_FRAMES * FRAME);
    return isFound;
  }

  private search(): boolean {
    const { isAnchored, isUnicode } = this.program;
    const last = isAnchored ? 0 : this.text.length;
    for (let start = 0; start <= last; start = placeAfter(this.text, start, isUnicode)) {
      this.registers.fill(UNSET);
      this.top = 0;
      if (this.run(0, start)) return true;
      if (this.steps < 0) return false;
    }
    return false;
  }

  /** @returns whether the instructions from an address match from a place on; the frames of the match are left on the stack */
  private run(address: number, at: number): boolean {
    const { code, columns, isUnicode } = this.program;
    const { text, table, registers } = this;
    const base = this.top;
    for (;;) {
      if (--this.steps < 0) return false;
      const instruction = code[address] as Instruction;
      const { operation, column } = instruction;
      let known = 0;
      if (column >= 0 && columns > 0) {
        const cell = at * columns + column;
        known = table[cell] as number;
        if (known === 0) table[cell] = FAILS;
        if (known === MATCHES && operation !== LOOK) return true;
      }
      let next = known === FAILS ? NOWHERE : at;
      let following = address + 1;
      if (next !== NOWHERE) {
        switch (operation) {
          case CHARACTER:
            next = readCharacter(text, at, instruction, isUnicode);
            break;
          case RUN:
            next = this.take(instruction, address, at);
            break;
          case EACH: {
            const end = readCharacter(text, at, instruction, isUnicode);
            this.push(end === NOWHERE ? TRIED : OTHER, address, at, 0, 0);
            following = end === NOWHERE ? instruction.b : address;
            if (end !== NOWHERE) next = end;
            break;
          }
          case SPLIT:
            this.push(OTHER, address, at, 0, 0);
            following = instruction.a;
            break;
          case JUMP:
            following = instruction.a;
            break;
          case REMEMBER:
            this.push(TRIED, address, at, 0, 0);
            break;
          case LOOK:
            if (!this.look(instruction, at, known)) next = NOWHERE;
            following = instruction.b;
            break;
          case START:
            if (at !== 0) next = NOWHERE;
            break;
          case END:
            if (at !== text.length) next = NOWHERE;
            break;
          case BOUNDARY:
            if (isBoundary(text, at) === instruction.isNegated) next = NOWHERE;
            break;
          case REFERENCE:
            next = this.repeat(instruction, at);
            break;
          case SAVE:
            this.set(instruction.a, at);
            break;
          case CLEAR:
            this.set(instruction.a, UNSET);
            this.set(instruction.a + 1, UNSET);
            break;
          case MOVED:
            if (registers[instruction.a] === at) next = NOWHERE;
            break;
          case MATCH:
            return true;
        }
      }
      if (next === NOWHERE) {
        following = this.back(base);
        if (following < 0) return false;
        next = this.resumed;
      }
      address = following;
      at = next;
    }
  }

  /** Takes the latest choice back. @returns the address to go on from, or -1 where there is none above `base` */
  private back(base: number): number {
    const { stack, text } = this;
    const { code, columns, isUnicode } = this.program;
    while (this.top > base) {
      const frame = this.top - FRAME;
      const kind = stack[frame] as number;
      const address = stack[frame + 1] as number;
      const at = stack[frame + 2] as number;
      if (kind === OTHER) {
        // Until the other way has failed, too, this is a try that is under way.
        if (columns > 0) stack[frame] = TRIED;
        else this.top = frame;
        this.resumed = at;
        return (code[address] as Instruction).b;
      }
      if (kind === SHORTER) {
        const end = stack[frame + 3] as number;
        if (end !== stack[frame + 4]) {
          const { isBackward, isLazy } = code[address] as Instruction;
          const next = isBackward === isLazy ? placeBefore(text, end, isUnicode) : placeAfter(text, end, isUnicode);
          stack[frame + 3] = next;
          this.resumed = next;
          return address + 1;
        }
      } else if (kind === RESTORE) this.registers[address] = at;
      this.top = frame;
    }
    return NOWHERE;
  }

  /** Whether a lookaround lets pass: what it asks for depends on nothing but the place, and groups. */
  private look({ a, isNegated, column }: Instruction, at: number, known: number): boolean {
    if (known === MATCHES) return true;
    const base = this.top;
    const { columns } = this.program;
    const isMatch = this.run(a, at);
    if (this.steps < 0) return false;
    this.settle(base, isMatch && !isNegated);
    const isPassed = isMatch !== isNegated;
    if (columns > 0 && isPassed) this.table[at * columns + column] = MATCHES;
    return isPassed;
  }

  /** Ends a lookaround: none of its choices is taken back any more. What its tries led to is remembered. */
  private settle(base: number, keepsGroups: boolean): void {
    const { stack, table } = this;
    const { code, columns } = this.program;
    let kept = base;
    for (let frame = base; frame < this.top; frame += FRAME) {
      const address = stack[frame + 1] as number;
      if (stack[frame] !== RESTORE) {
        if (columns > 0)
          table[(stack[frame + 2] as number) * columns + (code[address] as Instruction).column] = MATCHES;
      } else if (keepsGroups) {
        stack.copyWithin(kept, frame, frame + FRAME);
        kept += FRAME;
      }
    }
    if (!keepsGroups) {
      for (let frame = this.top - FRAME; frame >= base; frame -= FRAME) {
        if (stack[frame] === RESTORE) this.registers[stack[frame + 1] as number] = stack[frame + 2] as number;
      }
    }
    this.top = kept;
  }

  /** Takes the most characters of a run, or the least of a lazy one. @returns where they end, or -1 */
  private take(run: Instruction, address: number, at: number): number {
    const { isUnicode } = this.program;
    let least = run.a === 0 ? at : NOWHERE;
    let most = at;
    for (let count = 1; count <= run.b; count++) {
      const next = readCharacter(this.text, most, run, isUnicode);
      if (next === NOWHERE) break;
      this.steps--;
      most = next;
      if (count === run.a) least = most;
    }
    if (least === NOWHERE) return NOWHERE;
    this.push(SHORTER, address, at, run.isLazy ? least : most, run.isLazy ? most : least);
    return run.isLazy ? least : most;
  }

  /** @returns the place after what a group has matched comes again, or -1 */
  private repeat({ a, isBackward }: Instruction, at: number): number {
    const { text, registers } = this;
    const start = registers[a] as number;
    const end = registers[a + 1] as number;
    if (start === UNSET || end === UNSET) return at;
    const length = end - start;
    this.steps -= length >> 3;
    const from = isBackward ? at - length : at;
    if (from < 0 || !text.startsWith(text.slice(start, end), from)) return NOWHERE;
    const next = isBackward ? from : at + length;
    // Half of a code point is none.
    return this.program.isUnicode && length > 0 && isPair(text, next - 1) ? NOWHERE : next;
  }

  private set(register: number, value: number): void {
    this.push(RESTORE, register, this.registers[register] as number, 0, 0);
    this.registers[register] = value;
  }

  private push(kind: number, address: number, at: number, end: number, last: number): void {
    if (this.top + FRAME > this.stack.length) {
      const larger = new Int32Array(this.stack.length * 2);
      larger.set(this.stack);
      this.stack = larger;
    }
    const { stack, top } = this;
    stack[top] = kind;
    stack[top + 1] = address;
    stack[top + 2] = at;
    stack[top + 3] = end;
    stack[top + 4] = last;
    this.top = top + FRAME;
  }
}
