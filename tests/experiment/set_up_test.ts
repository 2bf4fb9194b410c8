/** What a part finds out before it starts an engine. */

import { assertRejects } from "@std/assert";
import { join } from "node:path";
import { setUp, type SetUpFlags } from "../../experiment/set_up.ts";
import { StudyError } from "../../io/errors.ts";
import { withFolder } from "../report/result_rows.ts";

Deno.test("setUp() reads a folder of one's own before it fetches an engine", () =>
  withFolder({ "no-library": "" }, async (folder) => {
    const flags: SetUpFlags = {
      backend: "tensorflow",
      libtensorflow: join(folder, "no-library"),
      data: folder,
      out: join(folder, "out"),
      precision: undefined,
      ...{ resume: false, tensorboard: false, quiet: true, json: false },
    };
    await assertRejects(() => setUp(1, flags), StudyError, "train-images");
    await assertRejects(() => setUp(1, { ...flags, data: "mnist" }), StudyError, "no-library");
  }));
