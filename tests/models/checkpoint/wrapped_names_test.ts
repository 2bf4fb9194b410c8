import { assert, assertEquals } from "@std/assert";
import { findMisfit } from "../../../models/checkpoint/state_dict.ts";
import { unwrap, unwrappings } from "../../../models/checkpoint/wrapped_names.ts";

const SHAPES = new Map([
  ["features.0.weight", [2, 3]],
  ["features.0.bias", [2]],
  ["classifier.1.weight", [4, 2]],
]);

/** The model's entries under other names. */
function renamed(change: (name: string) => string): Map<string, { shape: number[] }> {
  return new Map([...SHAPES].map(([name, shape]) => [change(name), { shape }]));
}

const fit = (found: ReadonlyMap<string, { shape: readonly number[] }>) =>
  unwrap(found, (entries) => findMisfit(entries, SHAPES));

const WRAPPED: Record<string, [(name: string) => string, string]> = {
  "nothing": [(name) => name, ""],
  "DataParallel": [(name) => `module.${name}`, '"module."'],
  "DataParallel around the features": [
    (name) => name.replace("features.", "features.module."),
    '"module."',
  ],
  "torch.compile": [(name) => `_orig_mod.${name}`, '"_orig_mod."'],
  "Lightning": [(name) => `model.${name}`, '"model."'],
  "another prefix": [(name) => `backbone.${name}`, '"backbone."'],
  "a long prefix": [(name) => `system.net.${name}`, '"system." and "net."'],
  "all of them": [
    (name) => `model._orig_mod.module.${name}`,
    '"module." and "_orig_mod." and "model."',
  ],
};

Deno.test("unwrap() takes off what wraps names, where they then fit exactly", async (t) => {
  for (const [what, [change, removed]] of Object.entries(WRAPPED)) {
    await t.step(what, () => {
      const found = fit(renamed(change));
      assertEquals(found.misfit, { missing: [], extra: [], misshapen: [] });
      assertEquals([...found.entries.keys()], [...SHAPES.keys()]);
      assertEquals(found.removed, removed);
    });
  }
});

Deno.test("unwrap() gives the nearest way where none fits, names as they are before others", () => {
  const wrapped = renamed((name) => `module.${name}`);
  wrapped.set("module.features.0.bias", { shape: [7] });
  wrapped.set("module.more", { shape: [] });
  const near = fit(wrapped);
  assertEquals(near.removed, '"module."');
  assertEquals(near.misfit, {
    missing: [],
    extra: ["more"],
    misshapen: [{ name: "features.0.bias", found: [7], expected: [2] }],
  });
  assertEquals(fit(new Map([["fc.bias", { shape: [2] }]])).removed, "");
  assertEquals(fit(new Map()).misfit.missing, [...SHAPES.keys()]);
});

Deno.test("unwrap() does not make two entries one, nor take off what only some names have", () => {
  const both = new Map([
    ...renamed((name) => name),
    ...renamed((name) => `module.${name}`),
  ]);
  assertEquals([...unwrappings(both)].length, 1);
  const some = renamed((name) => name.startsWith("f") ? `model.${name}` : name);
  assertEquals([...unwrappings(some)].length, 1);
});

Deno.test("unwrap() takes little time over names that are all dots", () => {
  const started = performance.now();
  const deep = new Map([["a.".repeat(1_000_000), { shape: [] }]]);
  assertEquals(fit(deep).misfit.missing.length, SHAPES.size);
  assert(performance.now() - started < 20_000);
});
