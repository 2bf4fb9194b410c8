/** What is shown while pip is at work, and how looking at its files may fail. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { fetchWheel } from "../../../engine/library/fetch_wheel.ts";
import { StudyError } from "../../../io/errors.ts";
import { silentReporter } from "../../../io/reporter.ts";
import { sha256Hex } from "../../../io/sha256.ts";
import { withReplaced } from "../../io/replaced_call.ts";
import { withFolder } from "../../report/result_rows.ts";

const CONTENT = new TextEncoder().encode("a wheel");

const WHEEL = {
  ...{ version: "1.0", name: "made-up", file: "made_up.whl", platform: "any", members: [] },
  ...{ sha256: sha256Hex(CONTENT), size: CONTENT.length },
};

/** Stands in for pip: does `steps` where the wheel is to be. */
const pip = (steps: string) => `
case "$1" in download)
  for word in "$@"; do case "$word" in --dest=*) cd "\${word#--dest=}" ;; esac; done
  ${steps}
esac`;

/** Brings the wheel, and takes a second for it. */
const PIP = pip('printf "a wheel" > made_up.whl; sleep 1');

/** Brings it in two steps, each of which goes into a file of its cache as well. */
const PIP_WITH_CACHE = pip(`
  mkdir inner; printf "a w" > inner/body; printf "a w" > made_up.whl; sleep 0.7
  printf "a wheel" > inner/body; printf "a wheel" > made_up.whl; sleep 0.7; rm -r inner`);

/** Fetches it; what is on the live line the while. */
async function fetchShown(
  folder: string,
  script = PIP,
): Promise<{ path: string; shown: string[] }> {
  const shown: string[] = [];
  const reporter = { ...silentReporter, live: (text: string) => void shown.push(text) };
  const pipCommands = [["sh", "-c", script, "pip"]];
  const path = await fetchWheel({ wheel: WHEEL, folder, label: "it", reporter, pipCommands });
  return { path, shown };
}

const ignore = Deno.build.os === "windows";

Deno.test({
  name: "fetchWheel() shows how much there is, and no more once pip has ended",
  ignore,
  fn: () =>
    withFolder({}, async (folder) => {
      let looks = 0;
      const ended = Promise.withResolvers<void>();
      await withReplaced("readDir", (own) =>
        async function* (path) {
          looks++;
          // The second look finds all of it after the end.
          if (looks > 1) await ended.promise;
          yield* own(path);
        }, async () => {
        const { path, shown } = await fetchShown(folder);
        ended.resolve();
        await new Promise((resolve) => setTimeout(resolve, 300));
        assertEquals(path, join(folder, "made_up.whl"));
        assert(shown[0]!.startsWith("it: 100 % of 7 B, "), shown[0]);
        assertEquals([shown.length, shown[1], looks], [2, "", 2]);
      });
    }),
});

Deno.test({
  name: "fetchWheel() counts once what pip writes into two files",
  ignore,
  fn: () =>
    withFolder({}, async (folder) => {
      const { shown } = await fetchShown(folder, PIP_WITH_CACHE);
      const shares = shown.filter((text) => text !== "").map((text) => text.split(",")[0]);
      assertEquals([...new Set(shares)], ["it: 42 % of 7 B", "it: 100 % of 7 B"]);
    }),
});

Deno.test({
  name: "fetchWheel() does not call a pip missing that is there and fails",
  ignore,
  fn: () =>
    withFolder({}, async (folder) => {
      const pipCommands = [["no-such-pip"], ["sh", "-c", "echo 'no libssl' >&2; exit 1"]];
      const options = { wheel: WHEEL, folder, label: "it", reporter: silentReporter };
      const fetchIt = () => fetchWheel({ ...options, pipCommands });
      const { message } = await assertRejects(fetchIt, StudyError, "pip cannot be started");
      assertStringIncludes(message, "does not run (no libssl)");
    }),
});

Deno.test({
  name: "fetchWheel() goes on where pip's files cannot be looked at",
  ignore,
  fn: () =>
    withFolder({}, async (folder) => {
      const busy = () => {
        throw new Deno.errors.Busy("in use");
      };
      await withReplaced("readDir", () => busy, async () => {
        assertEquals((await fetchShown(folder)).shown, [""]);
      });
    }),
});
