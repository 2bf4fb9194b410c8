/** Loaded before a task: says when a run's checkpoint is opened, which then takes a while. */

import { CHECKPOINT } from "../../report/record/run_folder.ts";

const { open } = Deno;
Deno.open = async (path, options) => {
  if (String(path).endsWith(CHECKPOINT)) {
    console.log("Loading");
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  return await open(path, options);
};
