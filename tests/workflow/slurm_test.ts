/** The workflow on a real SLURM, of which this machine is the only node. */

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { withFolder } from "../report/result_rows.ts";
import {
  checkSweep,
  command,
  hasSnakemake,
  killPart,
  sweepWithKills,
  WORKFLOW,
  works,
} from "./sweeps.ts";

const NODE = join(repositoryRoot(), "tests/workflow/one_node_slurm.sh");

/** Why there is no SLURM to test on; `""` if there can be. */
async function whyNot(): Promise<string> {
  if (!hasSnakemake) return "there is no Snakemake 9";
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "it takes root on Linux";
  for (const program of ["slurmctld", "slurmd", "munged"]) {
    if (!await works("which", program)) return "it is not installed: apt install slurm-wlm munge";
  }
  const executors = (await command(["snakemake", "--help"])).output;
  if (!/--executor[^]*\bslurm\b/.test(executors)) {
    return "Snakemake has no executor for it: pip install snakemake-executor-plugin-slurm==2.8.0";
  }
  const found = await Deno.readTextFile("/etc/slurm/slurm.conf").catch(() => "");
  return found === "" || found.includes("one_node_slurm.sh") ? "" : "this machine is of a cluster";
}

const reason = await whyNot();
if (reason !== "") console.log(`skipped: the workflow on SLURM (${reason})`);

/** Takes a job from its node as a scheduler does, whose comment names the run. */
async function cancelJob(_: string, name: string): Promise<boolean> {
  const { output } = await command(["squeue", "--noheader", "--format=%i %k"]);
  const id = output.split("\n").find((line) => line.endsWith(`_${name}`))?.split(" ")[0];
  return id !== undefined && await works("scancel", id);
}

/** Has the controller lose the node with all that runs on it, and find it again. */
async function loseNode(): Promise<boolean> {
  const update = (...words: string[]) => works("scontrol", "update", "NodeName=ALL", ...words);
  if (!await update("State=DOWN", "Reason=lost")) return false;
  await new Promise((resolve) => setTimeout(resolve, 5000));
  return await update("State=RESUME");
}

Deno.test({
  name: `the same sweep on SLURM, two jobs at a time, one killed, one cancelled, the node lost${
    reason && `: ${reason}`
  }`,
  ignore: reason !== "",
  fn: () =>
    withFolder({}, async (cwd) => {
      const up = await command([NODE, "up"]);
      try {
        assertEquals(up.code, 0, up.output);
        const words = [
          ...["--profile", join(WORKFLOW, "profiles/slurm"), "--jobs", "2"],
          ...["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2"],
          ...["--seconds-between-status-checks", "3", "--latency-wait", "10"],
        ];
        const { ended, killed } = await sweepWithKills(cwd, {
          words,
          kills: [killPart, cancelJob, loseNode],
        });
        assertEquals(ended.code, 0, ended.output);
        assertEquals(killed.length, 3, ended.output);
        assert(/SLURM|sbatch|slurm/.test(ended.output), ended.output);
        await checkSweep(cwd, killed);
      } finally {
        await command([NODE, "down"]);
      }
    }),
});
