import { assertEquals } from "@std/assert";
import { simpleCnn } from "../../models/simple_cnn.ts";
import { parameterCount } from "../../report/architectures.ts";
import { testEngine } from "../engine/engine.ts";

await testEngine();

Deno.test("parameterCount() is what simpleCnn() has", () => {
  const model = simpleCnn();
  let count = 0;
  for (const { data } of model.stateDict().values()) count += data.length;
  model.dispose();
  assertEquals(parameterCount("SimpleCNN"), count);
});
