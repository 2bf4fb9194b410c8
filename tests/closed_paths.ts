/**
 * Prints what each kind of look at a path says of ones that may not be entered or read, as JSON.
 * Run by io/path_kind_test.ts, without the rights that make a superuser pass every door.
 */

import { join } from "node:path";
import { readIdxFolder } from "../data/idx_folder.ts";
import { loadDataset } from "../data/load_dataset.ts";
import { searchLibrary } from "../engine/library/find_library.ts";
import { RELEASES } from "../engine/library/releases.ts";
import { folderProblem } from "../io/cache.ts";
import { StudyError } from "../io/errors.ts";
import { checkMayWrite } from "../io/may_write.ts";
import { parseFlags } from "../io/parse_flags.ts";
import { exists, pathKindSync } from "../io/path_kind.ts";
import { readRegularFile } from "../io/regular_file.ts";
import { silentReporter } from "../io/reporter.ts";
import { inspectWeights } from "../models/checkpoint/cached_weights.ts";
import { FASTER_RCNN_WEIGHTS, obtainWeights } from "../models/checkpoint/pretrained.ts";
import { gatherRows } from "../report/record/gather_rows.ts";
import { ProblemList } from "../report/record/problems.ts";
import { noteUnrecordedRuns } from "../report/record/unrecorded_runs.ts";

const folder = Deno.args[0]!;
const inside = join(folder, "closed", "inner", "file");
const file = join(folder, "file");
const unlisted = join(folder, "unlisted");

const FLAGS = {
  data: { kind: "choice", choices: ["auto"], orFolder: true, help: "" },
  weights: { kind: "choice", choices: ["random"], orFile: true, help: "" },
} as const;
const ORIGINS = { given: folder, defaults: folder };
const places = {
  cache: join(folder, "cache"),
  release: RELEASES["linux-x86_64"],
  pythonCommands: [],
  systemFolders: [],
};
const weights = { source: FASTER_RCNN_WEIGHTS, strict: false, reporter: silentReporter };

const looks: Record<string, () => unknown> = {
  exists: () => exists(inside),
  pathKindSync: () => pathKindSync(inside),
  "--data": () => parseFlags(["--data", inside], FLAGS, ORIGINS),
  "--weights": () => parseFlags(["--weights", inside], FLAGS, ORIGINS),
  "--weights, file": () => obtainWeights({ ...weights, weights: file }),
  "a folder of data": () => loadDataset({ data: inside, reporter: silentReporter }),
  "a folder that may not be listed": () => readIdxFolder(unlisted),
  "a file": () => readRegularFile(file, { maxBytes: 10 }),
  "--libtensorflow": () => searchLibrary({ ...places, option: inside }),
  "--libtensorflow, file": () => searchLibrary({ ...places, option: file }),
  "--libtensorflow, folder": () => searchLibrary({ ...places, option: join(folder, "closed") }),
  "the cache's library": () => searchLibrary({ ...places, cache: inside }),
  "the system's libraries": () => searchLibrary({ ...places, systemFolders: [inside] }),
  "a cached file of weights": () =>
    inspectWeights(inside, { file: "x", sha256: "" }, silentReporter),
  "the cache": async () => {
    throw new StudyError((await folderProblem(join(folder, "closed")))!);
  },
  "a run's folder": async () => {
    const problems = new ProblemList();
    await noteUnrecordedRuns(new Set(), { folders: [join(folder, "results")], problems });
    throw new StudyError(problems.list().map(({ text }) => text).join());
  },
  "--out": () => checkMayWrite(unlisted),
  "--out, in a closed folder": () => checkMayWrite(inside),
  "--results": () => gatherRows([unlisted], new ProblemList()),
};

const said: Record<string, string> = {};
for (const [name, look] of Object.entries(looks)) {
  try {
    await look();
    said[name] = "nothing";
  } catch (error) {
    said[name] = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}
console.log(JSON.stringify(said));
