/**
 * Loads the set in a folder and prints how much more memory the process had for it at most, in
 * bytes. Run by load_dataset_test.ts.
 */

import process from "node:process";
import { loadDataset } from "../../data/load_dataset.ts";
import { silentReporter } from "../../io/reporter.ts";

const [data = "", limit = ""] = Deno.args;
const peak = () => 1024 * process.resourceUsage().maxRSS;
const before = peak();
const limits = limit === "" ? {} : { limit: Number(limit) };
const { train } = await loadDataset({ data, reporter: silentReporter, ...limits });
console.log(JSON.stringify({ count: train.count, bytes: peak() - before }));
