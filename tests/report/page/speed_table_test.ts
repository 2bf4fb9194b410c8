import { assertEquals } from "@std/assert";
import { renderSpeedTable } from "../../../report/page/speed_table.ts";
import { TIMINGS } from "../peers.ts";

/** Cells of the table's lines below the head. */
function body(table: string): string[][] {
  return table.trimEnd().split("\n").slice(2)
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

Deno.test("renderSpeedTable() has the median ratio to the defaults and to the best settings", () => {
  assertEquals(body(renderSpeedTable(TIMINGS)), [
    ["A \\", "step", "1.00 s a step", "2.00 s a step", "2.00 (2.00 to 4.00)", "1.50"],
    ["Alone", "1.00 s a set", "4.00 s a set", "4.00", ""],
  ]);
});
