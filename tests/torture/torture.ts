/**
 * Runs, files and disks treated as badly as they can be: `deno task torture`.
 *
 * Every number that is drawn follows from the seed, which is printed; when something happens, and so
 * which write a kill meets, does not.
 */

import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCommandLine } from "../../io/help_text.ts";
import type { FlagTable } from "../../io/parse_flags.ts";
import { StudyError } from "../../io/errors.ts";
import { createReporter } from "../../io/reporter.ts";
import { runScript } from "../../io/run_script.ts";
import { type Campaign, Work } from "./campaign.ts";
import { FULL_DISK } from "./full_disk.ts";
import {
  HOSTILE_ARCHIVES,
  HOSTILE_CHECKPOINTS,
  HOSTILE_CSV,
  HOSTILE_IDX,
} from "./hostile_files.ts";
import { KILLS_AT_WRITES, RANDOM_KILLS } from "./kills.ts";
import { TWO_PROCESSES } from "./two_processes.ts";

/** Each campaign, and its share of the time. */
const CAMPAIGNS: Readonly<Record<string, readonly [campaign: Campaign, share: number]>> = {
  kills: [RANDOM_KILLS, 4],
  writes: [KILLS_AT_WRITES, 4],
  processes: [TWO_PROCESSES, 3],
  disk: [FULL_DISK, 3],
  checkpoints: [HOSTILE_CHECKPOINTS, 2],
  idx: [HOSTILE_IDX, 1],
  csv: [HOSTILE_CSV, 1],
  archives: [HOSTILE_ARCHIVES, 1],
};

const FLAGS = {
  only: {
    kind: "choices",
    choices: Object.keys(CAMPAIGNS),
    help: "campaigns, separated by commas [default: all]",
  },
  seconds: { kind: "integer", min: 1, default: 300, help: "time for all of them together" },
  seed: { kind: "integer", min: 0, max: 2 ** 31 - 1, help: "what is drawn [default: another one]" },
  verbose: { kind: "boolean", help: "show stacks of errors" },
  help: { kind: "boolean", help: "show this page" },
} as const satisfies FlagTable;

async function main(): Promise<void> {
  const flags = readCommandLine({
    usage: "deno task torture [flags]",
    description: "Kills runs, starts them twice, fills their disk, and reads damaged files; says " +
      "what did not hold. Each campaign tries at least once. Exit status: 0 if everything held, 1 " +
      "if something did not, 2 for a wrong flag.",
    table: FLAGS,
    examples: ["deno task torture", "deno task torture --only disk,csv --seconds 60 --seed 7"],
  });
  if (flags === undefined) return;
  const seed = flags.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]! >>> 1;
  const names = flags.only ?? Object.keys(CAMPAIGNS);
  const reporter = createReporter();
  const root = await Deno.makeTempDir({ dir: tmpdir(), prefix: "torture-" });
  reporter.line(`Seed ${seed}, in ${root}`);
  const shares = names.reduce((sum, name) => sum + CAMPAIGNS[name]![1], 0);
  const table: string[][] = [];
  const faults: string[] = [];
  for (const name of names) {
    const [campaign, share] = CAMPAIGNS[name]!;
    const folder = join(root, name);
    mkdirSync(folder);
    const work = new Work({ seed, seconds: flags.seconds * share / shares, folder });
    const started = performance.now();
    reporter.live(`${campaign.title} …`);
    try {
      await campaign.run(work);
    } catch (error) {
      work.faults.push(`cannot go on: ${error instanceof Error ? error.message : error}`);
    }
    reporter.live("");
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    faults.push(...work.faults.map((fault) => `${campaign.title}: ${fault}`));
    table.push([
      campaign.title,
      `${work.tries}`,
      `${work.faults.length}`,
      `${seconds} s`,
      work.note,
    ]);
  }
  const rows = [["campaign", "tries", "faults", "time", ""], ...table];
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  for (const row of rows) {
    const cells = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[i]!)
    );
    reporter.line(cells.join("  ").trimEnd());
  }
  if (faults.length > 0) {
    for (const fault of faults) reporter.warn(fault);
    throw new StudyError(
      `${faults.length} faults; what they left is in ${root}. Again: deno task torture --seed ` +
        `${seed} --only ${names.join(",")}`,
    );
  }
  await Deno.remove(root, { recursive: true });
}

if (import.meta.main) await runScript(main);
