/** What an exported file says of itself, written and read. */

import { assertEquals, assertThrows } from "@std/assert";
import { StudyError } from "../../../io/errors.ts";
import { exportNotes, readExportNotes } from "../../../models/checkpoint/export_notes.ts";

const OWN = { exported_by: "deno task export" };

Deno.test("readExportNotes() reads what exportNotes() writes", () => {
  for (const normalises of [true, false]) {
    for (const batchNormEpsilon of [0, 1e-5, 1e-7]) {
      const model = { name: "a", run: undefined, detection: { normalises, batchNormEpsilon } };
      const notes = exportNotes(model);
      assertEquals(readExportNotes(notes, "x"), { name: "a", normalises, batchNormEpsilon });
    }
  }
});

Deno.test("readExportNotes() takes nothing from what was not exported here", () => {
  const nothing = { name: undefined, normalises: false, batchNormEpsilon: undefined };
  for (const notes of [{}, { model: "a", normalise: "twice", batch_norm_epsilon: "none" }]) {
    assertEquals(readExportNotes(notes, "x"), nothing);
  }
});

Deno.test("readExportNotes() takes an export without a word on it for fed as the study does", () => {
  const { normalises, batchNormEpsilon } = readExportNotes(OWN, "x");
  assertEquals([normalises, batchNormEpsilon], [true, undefined]);
});

Deno.test("readExportNotes() refuses notes that nobody wrote so", () => {
  const changes = [{ normalise: "thrice" }];
  const epsilons = ["", "-1", "1", "1e-5x", "NaN"].map((epsilon) => ({
    batch_norm_epsilon: epsilon,
  }));
  for (const notes of [...changes, ...epsilons]) {
    assertThrows(
      () => readExportNotes({ ...OWN, ...notes }, "x.safetensors"),
      StudyError,
      "x.safetensors does not say in its notes how its detector is used",
    );
  }
});
