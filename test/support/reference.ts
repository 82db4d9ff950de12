/** Rows of a reference table from a JSON Schema: `key`, what it takes, what it does. */
interface Described {
  readonly type?: string | string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Described[];
  readonly items?: Described;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly patternProperties?: Readonly<Record<string, Described>>;
  readonly description?: string;
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function takes(schema: Described): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(takes))].join(" or ");
  if (schema.type === "array") return `list of ${schema.items === undefined ? "anything" : takes(schema.items)}`;
  return schema.type === undefined ? "anything" : String(schema.type);
}

/** Markdown table rows, a row a key, nested keys with dots. */
export function referenceRows(schema: unknown, prefix = ""): string[] {
  const rows: string[] = [];
  for (const [key, member] of Object.entries((schema as Described).properties ?? {})) {
    if (key === "$schema") continue;
    const name = prefix + key;
    rows.push(`| \`${name}\` | ${cell(takes(member))} | ${cell(member.description ?? "")} |`);
    const nested = [member, ...(member.anyOf ?? [])].filter((option) => option.properties !== undefined);
    for (const option of nested) rows.push(...referenceRows(option, `${name}.`));
  }
  return rows;
}

/** The page with what stands between `<!-- name -->` and `<!-- /name -->` replaced. */
export function fillSection(page: string, name: string, rows: readonly string[]): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = page.indexOf(start) + start.length;
  const table = ["", "| key | takes | what it does |", "| --- | --- | --- |", ...rows, ""].join("\n");
  return page.slice(0, from) + table + page.slice(page.indexOf(end));
}
