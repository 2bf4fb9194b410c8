import { assertEquals } from "@std/assert";
import { cpus } from "node:os";
import { join } from "node:path";
import { repositoryRoot } from "../../io/cache.ts";
import { processor } from "../../io/processor.ts";

const { os, arch } = Deno.build;

/** What Python says of this machine; `undefined` where there is no Python. */
async function ofPython(): Promise<unknown> {
  const program = "import json; from machine import machine; print(json.dumps(machine()))";
  const python = new Deno.Command("python3", {
    args: ["-Bc", program],
    env: { PYTHONPATH: join(repositoryRoot(), "bench", "reference") },
  });
  try {
    return JSON.parse(new TextDecoder().decode((await python.output()).stdout));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

// Elsewhere Python and Deno ask the system for the processor's name in ways of their own.
const found = os === "linux" && arch === "x86_64" ? await ofPython() : undefined;

Deno.test({
  name: "the peers in Python call the machine what a manifest does",
  ignore: found === undefined,
  fn: () => assertEquals(found, { ...processor(), cores: cpus().length }),
});
