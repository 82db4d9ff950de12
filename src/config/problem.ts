import { relative } from "node:path";

/** One thing wrong with a file that a person wrote, and what to do about it. */
export interface Problem {
  readonly file: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly message: string;
}

/** Everything that is wrong, at once: a person mends ten mistakes in one go, not in ten starts. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const all = distinct(problems);
    super(all.map(formatProblem).join("\n"));
    this.name = "ConfigError";
    this.problems = all;
  }
}

/** Each once: what is wrong with a route is found again for each of its operations. */
export const distinct = (problems: readonly Problem[]): Problem[] => [
  ...new Map(problems.map((problem) => [formatProblem(problem), problem])).values(),
];

/** `routes/pets.yaml:12:3 timeouts.headersMs is "5s"; write milliseconds, e.g. 5000` */
export const formatProblem = (problem: Problem): string => `${formatPlace(problem)} ${problem.message}`;

/** `routes/pets.yaml:12:3` */
export const formatPlace = ({ file, line, column }: Omit<Problem, "message">): string =>
  [relative(process.cwd(), file) || file, line, column].filter((part) => part !== undefined).join(":");
