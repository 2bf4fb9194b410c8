/**
 * Loads the set in a folder and prints how much more memory the process had for it at most, in
 * bytes. Run by load_dataset_test.ts.
 */

import { loadDataset } from "../../data/load_dataset.ts";
import { peakMemory } from "../../io/peak_memory.ts";
import { silentReporter } from "../../io/reporter.ts";

const [data = "", limit = ""] = Deno.args;
const before = peakMemory();
const limits = limit === "" ? {} : { limit: Number(limit) };
const { train } = await loadDataset({ data, reporter: silentReporter, ...limits });
console.log(JSON.stringify({ count: train.count, bytes: peakMemory() - before }));
