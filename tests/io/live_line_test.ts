import { assert, assertEquals, assertMatch } from "@std/assert";
import { type LiveLine, liveText } from "../../io/live_line.ts";

const TRAINING: LiveLine = {
  fields: [
    ["Epoch 1/10", "1/10"],
    ["batch 12/469", ""],
    "loss 0.1234",
    ["345 images/s", ""],
    ["9 min 03 s left", "9 min 03 s"],
  ],
  share: 0.25,
};

/** How much of the bar in a line is filled, and how long it is. */
function barIn(text: string): [filled: number, length: number] {
  const bar = /[█░]+/.exec(text)?.[0] ?? "";
  return [bar.replaceAll("░", "").length, bar.length];
}

Deno.test("liveText() has everything and no bar where there is no terminal", () => {
  assertEquals(
    liveText(TRAINING),
    "Epoch 1/10  batch 12/469  loss 0.1234  345 images/s  9 min 03 s left",
  );
  const leftOut: LiveLine = { fields: [["a", ""], "", "b"], separator: ", ", share: 1 };
  assertEquals(liveText(leftOut), "a, b");
});

Deno.test("liveText() draws a bar before the last field where there is room", () => {
  const text = liveText(TRAINING, 120);
  assertMatch(text, /^Epoch 1\/10 {2}batch 12\/469 {2}loss 0\.1234 {2}345 images\/s {2}█+░+ {2}9 /);
  assertEquals(barIn(text), [8, 30]);
});

Deno.test("liveText() keeps loss, bar and time left in 40 columns", () => {
  const text = liveText(TRAINING, 40);
  assertMatch(text, /^1\/10 {2}loss 0\.1234 {2}█+░+ {2}9 min 03 s$/);
  assertEquals(text.length, 39);
});

Deno.test("liveText() never fills the last column, however narrow the terminal", () => {
  for (let columns = 1; columns < 130; columns++) {
    const text = liveText(TRAINING, columns);
    assert(text.length < columns, `${columns}: ${text}`);
    if (columns >= 36) assertMatch(text, /loss 0\.1234.* 9 min 03 s( left)?$/);
  }
});

Deno.test("liveText() draws an empty bar, a full one, and none for what has no share", () => {
  const at = (share: number) => barIn(liveText({ ...TRAINING, share }, 120));
  assertEquals([at(0), at(1), at(2), at(-1)], [[0, 30], [30, 30], [30, 30], [0, 30]]);
  assertEquals(barIn(liveText({ fields: TRAINING.fields }, 120)), [0, 0]);
});
