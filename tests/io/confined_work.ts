/** What a confined worker may do, as the message of an error: for `confined_test.ts`. */

import { isConfined, runInConfinement } from "../../io/confined.ts";
import { UsageError } from "../../io/errors.ts";

const [allowed, forbidden] = new URL(import.meta.url).searchParams.getAll("write");

async function tell(): Promise<void> {
  const may = async (action: () => unknown) => {
    try {
      await action();
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) return false;
      throw error;
    }
  };
  const found = {
    allowed: await may(() => Deno.writeTextFile(`${allowed}/a`, "a")),
    forbidden: await may(() => Deno.writeTextFile(`${forbidden}/a`, "a")),
    above: await may(() => Deno.writeTextFile(`${allowed}/../a`, "a")),
    read: await may(() => Deno.readTextFile(new URL(import.meta.url).pathname)),
    run: await may(() => new Deno.Command(Deno.execPath(), { args: ["--version"] }).output()),
    ffi: await may(() => Deno.dlopen("libc.so.6", {})),
    net: await may(() => Deno.listen({ port: 0 })),
  };
  throw new UsageError(JSON.stringify(found));
}

if (isConfined) await runInConfinement(tell);
