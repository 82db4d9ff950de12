import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import type { Plugin } from "../../src/plugin.ts";

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
}

/** Options, at whatever depth, that nothing is said of. */
function undescribed(schema: Schema, path: string): string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, member]) => [
    ...(member.description === undefined ? [`${path}.${key}`] : []),
    ...undescribed(member, `${path}.${key}`),
  ]);
  const inner = [...(schema.anyOf ?? []), ...(schema.items === undefined ? [] : [schema.items])];
  const named = Object.values(schema.patternProperties ?? {});
  return [
    ...own,
    ...inner.flatMap((each) => undescribed(each, path)),
    ...named.flatMap((each) => undescribed(each, `${path}.*`)),
  ];
}

const files = readdirSync("plugins").filter((name) => name.endsWith(".ts"));
for (const file of files) {
  test(`every option of plugins/${file} is described`, async () => {
    const module = (await import(new URL(`../../plugins/${file}`, import.meta.url).href)) as { default: Plugin };
    const { name, options } = module.default;
    assert.equal(name, file.slice(0, -3));
    assert.deepEqual(undescribed(options, name), []);
  });
}
