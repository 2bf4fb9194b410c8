import { assertFalse, assertStringIncludes } from "@std/assert";
import { modelCard } from "../../../report/page/model_card.ts";
import type { ResultRow } from "../../../report/record/result_row.ts";
import type { Manifest } from "../../../report/record/run_folder.ts";
import { resultRow } from "../result_rows.ts";

/** The card of a run. */
function cardOf(
  row: Partial<ResultRow>,
  versions: Manifest["versions"] = {},
  settings: Manifest["settings"] = {},
): string {
  const run = resultRow(row);
  const { run_id, started_at, part, model } = run;
  return modelCard({
    title: "A network",
    weights: "of a test",
    files: ["a.safetensors"],
    usage: "load()",
    inputAndOutput: "Pictures in, digits out.",
    run: {
      manifest: { run_id, started_at, part, model, settings, versions, machine: {}, git: null },
      row: run,
    },
  });
}

Deno.test("modelCard() names the engine that computed, and no other", () => {
  const versions = { tfjs: "4.22.0", webgpu: "4.22.0" };
  assertStringIncludes(
    cardOf({ backend: "webgpu" }, versions),
    ", WebGPU through tfjs 4.22.0; made outside of a repository.",
  );
  assertStringIncludes(
    cardOf({}, { tfjs: "4.22.0", tensorflow: "2.21.0" }),
    ", TensorFlow 2.21.0 through tfjs 4.22.0; made",
  );
});

Deno.test("modelCard() shows what decided the run, and no path of its maker's", () => {
  const paths = { data_folder: "/home/me/digits", weights_file: "/home/me/own.pth" };
  const card = cardOf({}, {}, { normalise: "once", ...paths });
  assertStringIncludes(card, "| normalise | once |");
  assertFalse(card.includes("/home/me"), card);
});

Deno.test("modelCard() says of how many images the accuracy is, misses of a trained head among them", () => {
  const detector = { part: 2, model: "FasterRCNN_HeadTuned", accuracy: 90, evaluated_images: 950 };
  assertStringIncludes(
    cardOf({ ...detector, test_images: 1000, epochs: 3 }),
    "90.00 % of 1000 test images (900 correct), 95 % interval 87.98 to 91.71 % (Wilson)",
  );
  assertStringIncludes(
    cardOf({ ...detector, test_images: 1000, epochs: null }),
    "90.00 % of 950 test images (855 correct)",
  );
});
