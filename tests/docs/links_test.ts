/** Links between the pages of the repository lead somewhere. */

import { assert, assertEquals } from "@std/assert";
import { dirname, join, normalize } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { headingAnchor } from "../../report/page/markdown.ts";

const ROOT = repositoryRoot();

/** Every page that a reader is led to. */
const PAGES = ["README.md", "results/reference/report.md", "results/reference/bench/bench.md"];
for await (const { name } of Deno.readDir(join(ROOT, "docs"))) {
  if (name.endsWith(".md")) PAGES.push(`docs/${name}`);
}

/** What is neither code nor a comment. */
function proseOf(page: string): string {
  return page.replaceAll(/^```[^]*?^```$/gm, "").replaceAll(/`[^`\n]*`/g, "code");
}

/** Where a page links to within the repository: of `[text](target)` and `src="target"`. */
function linksOf(page: string): string[] {
  return [...proseOf(page).matchAll(/\]\(([^)\s]+)\)|\bsrc(?:set)?="([^"]+)"/g)]
    .map(([_, link, source]) => link ?? source!)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [_, heading] of page.replaceAll(/^```[^]*?^```$/gm, "").matchAll(/^#+ (.*)$/gm)) {
    const slug = headingAnchor(heading!);
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

Deno.test("links and anchors are found as a page shows them", () => {
  const page = "# A: b, `c`!\n\n## A b c\n\n[x](y.md#z) `[no](code.md)` [far](https://a/b)\n\n" +
    '```md\n# Not\n[no](this.md)\n```\n\n<img src="p.png">\n';
  assertEquals(linksOf(page), ["y.md#z", "p.png"]);
  assertEquals([...anchorsOf(page)], ["a-b-c", "a-b-c-1"]);
});

Deno.test("every link of README, docs/ and the committed pages leads to a file and a heading that are there", async () => {
  const missing: string[] = [];
  let count = 0;
  for (const path of PAGES) {
    for (const link of linksOf(await Deno.readTextFile(join(ROOT, path)))) {
      count++;
      const [file, anchor] = link.split("#") as [string, string | undefined];
      const target = file === "" ? path : normalize(join(dirname(path), file));
      const text = await Deno.readTextFile(join(ROOT, target)).catch(() => undefined);
      if (text === undefined || anchor !== undefined && !anchorsOf(text).has(anchor)) {
        missing.push(`${path}: ${link}`);
      }
    }
  }
  assertEquals(missing, []);
  assert(count > 50);
});
