import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { StudyError } from "../../io/errors.ts";
import { silentReporter } from "../../io/reporter.ts";
import { adaptedFasterRcnn, DIGIT_CLASSES } from "../../models/adapted_faster_rcnn.ts";
import { exportNotes } from "../../models/checkpoint/export_notes.ts";
import { fasterRcnnResnet50Fpn } from "../../models/faster_rcnn.ts";
import { saveCheckpoint } from "../../models/checkpoint/safetensors.ts";
import { testEngine } from "../engine/engine.ts";
import { withFolder } from "../report/result_rows.ts";

await testEngine();

const SCORES = "roi_heads.box_predictor.cls_score.weight";
const BODY = "backbone.body.layer1.0.conv1.weight";

Deno.test("adaptedFasterRcnn() takes all weights but the predictor's, which is the seed's", () =>
  withFolder({}, async (folder) => {
    const path = join(folder, "coco.safetensors");
    const before = tf.memory().numTensors;
    const coco = fasterRcnnResnet50Fpn({ numClasses: 91, seed: 5 });
    const saved = coco.stateDict();
    coco.dispose();
    await saveCheckpoint(path, saved);
    const [fresh, adapted] = [
      await adaptedFasterRcnn({ path: undefined, label: "random" }, 3),
      await adaptedFasterRcnn({ path, label: "file:coco.safetensors" }, 3),
    ];
    assertEquals([fresh.numClasses, adapted.numClasses], [DIGIT_CLASSES, DIGIT_CLASSES]);
    assertEquals(adapted.predictor.stateDict(), fresh.predictor.stateDict());
    assertEquals(adapted.predictor.stateDict().get(SCORES)?.shape, [DIGIT_CLASSES, 1024]);
    const body = adapted.stateDict().get(BODY)!.data;
    assertEquals(body, saved.get(BODY)!.data);
    assertNotEquals(body, fresh.stateDict().get(BODY)!.data);
    fresh.dispose();
    adapted.dispose();

    const lines: string[] = [];
    const reporter = { ...silentReporter, line: (text: string) => void lines.push(text) };
    const wrapped = join(folder, "wrapped.safetensors");
    await saveCheckpoint(
      wrapped,
      new Map([...saved].map(([name, tensor]) => [`module.${name}`, tensor])),
    );
    const unwrapped = await adaptedFasterRcnn({ path: wrapped, label: "file:x", reporter }, 3);
    assertEquals(unwrapped.stateDict().get(BODY)!.data, body);
    assertEquals(lines, [
      'Faster R-CNN: weights from wrapped.safetensors ("module." taken off its names)',
    ]);
    unwrapped.dispose();

    const exported = join(folder, "exported.safetensors");
    const detection = { normalises: true, batchNormEpsilon: 0 };
    await saveCheckpoint(exported, saved, exportNotes({ name: "a", run: undefined, detection }));
    const noted = await adaptedFasterRcnn({ path: exported, label: "file:exported" }, 3);
    assertEquals([adapted, noted].map((one) => one.batchNormEpsilon), [1e-5, 0]);
    noted.dispose();

    saved.delete(BODY);
    await saveCheckpoint(path, saved);
    const label = "file:coco.safetensors";
    await assertRejects(() => adaptedFasterRcnn({ path, label }, 3), StudyError, BODY);
    assertEquals(tf.memory().numTensors, before);
  }));
