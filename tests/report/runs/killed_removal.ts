/**
 * A process that removes a run and is killed on the way: `killed_removal.ts RESULTS RUN CALL`. It ends
 * itself as it makes that call, counted from 0, of those that rename or remove.
 */

import { ProblemList } from "../../../report/record/problems.ts";
import { removeRun } from "../../../report/record/remove_run.ts";
import { listRuns } from "../../../report/runs/list_runs.ts";

const [results = "", runId = "", call = ""] = Deno.args;
const [run] = (await listRuns([results], new ProblemList())).filter((one) => one.runId === runId);
let left = Number(call);

for (const name of ["rename", "remove"] as const) {
  const original = Deno[name] as (...args: unknown[]) => Promise<void>;
  const replacement = (...args: unknown[]) => {
    if (left-- === 0) Deno.kill(Deno.pid, "SIGKILL");
    return original(...args);
  };
  Object.defineProperty(Deno, name, { value: replacement });
}

await removeRun(run!);
