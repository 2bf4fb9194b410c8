import { assertEquals } from "@std/assert";
import { renderSpeedTable, renderSpeedUps } from "../../../report/page/speed_table.ts";
import { TIMINGS } from "../peers.ts";

/** Cells of the table's lines below the head. */
function body(table: string): string[][] {
  return table.trimEnd().split("\n").slice(2)
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

Deno.test("renderSpeedTable() has the median ratio to the defaults and the lowest to any settings", () => {
  assertEquals(body(renderSpeedTable(TIMINGS)), [
    ["A \\", "step", "1.00 s a step", "2.00 s a step", "2.00 (2.00 to 4.00)", "1.50"],
    ["Alone", "1.00 s a set", "4.00 s a set", "4.00", ""],
  ]);
});

Deno.test("renderSpeedTable() says in which number format the defaults are where it is not ours", () => {
  const inBfloat16 = TIMINGS.slice(0, 3).map((timing) => ({
    ...timing,
    ours: { ...timing.ours, precision: "bfloat16" as const },
  }));
  assertEquals(body(renderSpeedTable(inBfloat16))[0]!.slice(2), [
    "1.00 s a step",
    "2.00 s a step, in fp32",
    "2.00 (2.00 to 4.00)",
    "",
  ]);
});

Deno.test("renderSpeedUps() has a column of speed-ups over the defaults for each machine", () => {
  const [first] = TIMINGS;
  const renamed = { ...first!, title: "On the second alone" };
  const unpaired = {
    ...first!,
    title: "Without a peer",
    theirs: { ...first!.theirs, timings: [] },
  };
  const table = renderSpeedUps([
    { title: "one", timings: TIMINGS },
    { title: "two", timings: [renamed, unpaired] },
    { title: "none", timings: [] },
  ]);
  assertEquals(table.split("\n")[0]!.split("|").map((cell) => cell.trim()).slice(1, -1), [
    ...["what", "one", "two", "none"],
  ]);
  assertEquals(body(table), [
    ["A \\", "step", "2.00 (2.00 to 4.00)", "", ""],
    ["On the second alone", "", "2.00 (2.00 to 4.00)", ""],
    ["Alone", "4.00", "", ""],
  ]);
});
