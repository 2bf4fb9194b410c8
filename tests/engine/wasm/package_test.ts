/** The packages of the portable backends' kernels, WebGPU's too, where the suite is imported. */

import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { repositoryRoot } from "../../../io/cache.ts";
import { withFolder } from "../../report/result_rows.ts";

const read = (name: string) => Deno.readTextFile(join(repositoryRoot(), name));
const address = (backend: string) =>
  JSON.stringify(import.meta.resolve(`../../../engine/${backend}/package.ts`));

Deno.test("loadPackage() needs no import map, as a project that imports from JSR has none of ours", async () => {
  const tfjs = "@tensorflow/tfjs";
  const { imports } = JSON.parse(await read("deno.json"));
  const project = {
    // JSR writes addresses for names in imports that it can read.
    "deno.json": JSON.stringify({ imports: { [tfjs]: imports[tfjs] } }),
    "deno.lock": await read("deno.lock"),
    "load.ts": `import * as wasm from ${address("wasm")};
      import * as webgpu from ${address("webgpu")};
      await Promise.all([wasm.loadPackage(), webgpu.loadPackage()]);
      const { binary } = await wasm.readCompiledKernels();
      console.log(binary.length > 0, await wasm.isInstalled(), await webgpu.isInstalled());`,
  };
  await withFolder(project, async (cwd) => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "--no-check", "-A", "load.ts"],
      cwd,
      env: { NO_COLOR: "1" },
    }).output();
    const [out, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(out, "true true true\n", problem);
  });
});
