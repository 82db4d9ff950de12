import { realpathSync } from "node:fs";
import { relative, sep } from "node:path";

/**
 * What the references of a spec may read: files in its own folder, in a folder that the route names, and in the folders
 * of its project, so that `../common/Error.yaml` works. Not the files directly in the project's folder, nor hidden ones:
 * there stand portico.yaml, .env and keys, and a spec may be written by somebody who must not see them.
 */
export class ReadableFolders {
  private readonly whole: readonly string[];
  private readonly project: string | undefined;

  /**
   * @param own folder of the spec
   * @param project folder that holds the configuration; it counts only for specs inside it
   * @param named by the route
   */
  constructor(own: string, project?: string, named?: string) {
    this.whole = named === undefined ? [own] : [own, named];
    // Of a configuration in `/`, everything would be inside.
    const isProject = project !== undefined && relative("/", project) !== "" && isInside(own, project);
    this.project = isProject ? project : undefined;
  }

  has(file: string): boolean {
    return this.whole.some((folder) => isInside(file, folder)) || this.isOfProject(file);
  }

  /** The same folders with symbolic links followed: a link inside one may lead out of it. */
  get real(): ReadableFolders {
    const [own, named] = this.whole.map((folder) => realpathSync(folder)) as [string, string | undefined];
    return new ReadableFolders(own, this.project === undefined ? undefined : realpathSync(this.project), named);
  }

  private isOfProject(file: string): boolean {
    if (this.project === undefined || !isInside(file, this.project)) return false;
    const steps = relative(this.project, file).split(sep);
    return steps.length > 1 && !steps.some((step) => step.startsWith("."));
  }
}

const isInside = (file: string, folder: string): boolean =>
  file === folder || file.startsWith(folder.endsWith(sep) ? folder : folder + sep);
