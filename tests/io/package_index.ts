/**
 * A Python package index on this machine with one file in it, and pip set up for it.
 *
 * @module
 */

import { PYTHON_COMMANDS } from "../../io/python.ts";
import { runCommand } from "../../io/run_command.ts";
import { type Bytes, mirror } from "../data/local_mirror.ts";

/** Whether this machine has a Python with pip; says so if not. */
export async function hasPip(): Promise<boolean> {
  const results = await Promise.all(
    PYTHON_COMMANDS.map((command) => runCommand([...command, "-m", "pip", "--version"])),
  );
  const found = results.some((result) => result?.success);
  if (!found) console.log("skipped: no Python with pip, which these tests fetch with");
  return found;
}

/** Runs `action` with pip set up for an index that offers the file; `asked` is what was asked for. */
export async function withPackageIndex(
  { project, file, content }: {
    project: string;
    file: string;
    /** The file, or what answers the request for it. */
    content: Bytes | (() => Response);
  },
  action: (asked: string[]) => Promise<void>,
): Promise<void> {
  const index = mirror((path) => {
    if (path === `files/${file}`) {
      return typeof content === "function" ? content() : new Response(content);
    }
    if (path !== `simple/${project}/`) return new Response(null, { status: 404 });
    return new Response(`<!DOCTYPE html><a href="/files/${file}">${file}</a>`, {
      headers: { "content-type": "text/html" },
    });
  });
  const settings = {
    PIP_CONFIG_FILE: "/dev/null",
    PIP_INDEX_URL: `${index.url}simple/`,
    PIP_EXTRA_INDEX_URL: "",
    PIP_FIND_LINKS: "",
    // What would hide a source archive from pip.
    PIP_ONLY_BINARY: ":all:",
    NO_PROXY: "127.0.0.1",
  };
  const before = Object.keys(settings).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(settings)) Deno.env.set(name, value);
  try {
    await action(index.asked);
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
    await index.stop();
  }
}
