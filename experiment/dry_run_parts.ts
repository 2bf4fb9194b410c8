/**
 * What several parts would do: `deno task all --dry-run` runs this, with the permissions of the parts,
 * and hands it their command lines as JSON, `{"1": [...], "2": [...], "4": [...]}`.
 *
 * @module
 */

import { parseFlags } from "../io/parse_flags.ts";
import { runScript } from "../io/run_script.ts";
import { showDryRun } from "./dry_run.ts";
import { part1Command, PART_2, PART_4 } from "./flags.ts";
import { planPart1, planPart2, planPart4 } from "./plan.ts";

async function main(): Promise<void> {
  const lines: Record<1 | 2 | 4, string[]> = JSON.parse(Deno.args[0]!);
  await showDryRun([
    planPart1(parseFlags(lines[1], part1Command("published").table)),
    planPart2(parseFlags(lines[2], PART_2.table)),
    planPart4(parseFlags(lines[4], PART_4.table)),
  ]);
}

if (import.meta.main) await runScript(main, { verbose: false });
