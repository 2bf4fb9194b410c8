/** Event files as TensorBoard's own reader, in Python, reads them. */

import { assert } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";

/** The Python that has it, where it is not the first one found. */
const python = Deno.env.get("TENSORBOARD_PYTHON") ?? "python3";

/** Why events cannot be read here; `undefined` if they can. */
export const noReader: string | undefined = await findProblem();

/** What the reader finds. */
export interface EventsRead {
  /** Points by their tags, as step and value, in the order in which they come. */
  scalars: Record<string, [step: number, value: number][]>;
  /** Pictures by their tags; `png` in base64. */
  images: Record<string, { step: number; width: number; height: number; png: string }[]>;
}

/** Reads the event files in a folder. */
export async function readEvents(folder: string): Promise<EventsRead> {
  const script = join(repositoryRoot(), "tests", "experiment", "read_events.py");
  const { success, stdout, stderr } = await new Deno.Command(python, {
    args: [script, folder],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

async function findProblem(): Promise<string | undefined> {
  try {
    const { success } = await new Deno.Command(python, { args: ["-c", "import tensorboard"] })
      .output();
    if (success) return undefined;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return `${python} has no tensorboard: pip install tensorboard, or name one that has it in ` +
    "TENSORBOARD_PYTHON";
}
