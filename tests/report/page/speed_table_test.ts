import { assertEquals } from "@std/assert";
import { renderSpeedTable, renderSpeedUps } from "../../../report/page/speed_table.ts";
import type { PairedTiming } from "../../../report/record/bench_results.ts";
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

/** The same timings, of which one setting of the first's peer has none. */
function without(index: number): PairedTiming[] {
  const timing = TIMINGS[index]!;
  return TIMINGS.with(index, { ...timing, theirs: { ...timing.theirs, timings: [] } });
}

Deno.test("renderSpeedTable() knows no lowest speed-up where a setting has no timings, and no defaults but those", () => {
  const rowOf = (index: number) => body(renderSpeedTable(without(index)))[0]!.slice(2);
  assertEquals(rowOf(1), [
    "1.00 s a step",
    "2.00 s a step",
    "2.00 (2.00 to 4.00)",
    "not measured: best",
  ]);
  assertEquals(rowOf(0), ["1.00 s a step", "not measured", "", "not measured: default"]);
  // Of another number format.
  assertEquals(rowOf(2).at(-1), "1.50");
});

Deno.test("renderSpeedUps() takes no other setting's speed-up for that over the defaults", () => {
  const machines = [{ title: "one", timings: without(0) }, { title: "two", timings: TIMINGS }];
  assertEquals(body(renderSpeedUps(machines))[0]!.slice(2), ["", "2.00 (2.00 to 4.00)"]);
  assertEquals(body(renderSpeedUps(machines.slice(0, 1))).map(([title]) => title), ["Alone"]);
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
