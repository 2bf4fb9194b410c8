import { assertEquals, assertMatch } from "@std/assert";
import { FASHION_MNIST, MNIST } from "../../data/sources.ts";

Deno.test("MNIST and FASHION_MNIST name distinct files and addresses that end in a slash", () => {
  const sums = [MNIST, FASHION_MNIST].flatMap(({ files }) =>
    Object.values(files).flatMap((file) => [file.sha256, file.contentSha256])
  );
  assertEquals(new Set(sums).size, 16);
  for (const sum of sums) assertMatch(sum, /^[0-9a-f]{64}$/);
  for (const url of [...MNIST.mirrors, ...FASHION_MNIST.mirrors]) assertMatch(url, /^http.*\/$/);
});
