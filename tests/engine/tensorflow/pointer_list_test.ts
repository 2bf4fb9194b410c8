import { assert, assertEquals } from "@std/assert";
import { pointerList } from "../../../engine/tensorflow/pointer_list.ts";

/** What lies at an address, up to a length. */
function bytesAt(address: bigint, length: bigint): Uint8Array {
  const bytes = new Uint8Array(Number(length));
  const pointer = Deno.UnsafePointer.create(address);
  if (pointer !== null) new Deno.UnsafePointerView(pointer).copyInto(bytes);
  return bytes;
}

Deno.test("pointerList() holds what it points at in the memory of the pointers themselves", () => {
  const texts = ["VALID", "", "a longer text, in UTF-8: ×"].map((text) =>
    new TextEncoder().encode(text)
  );
  const shape = new BigInt64Array([1n, -1n, 28n]).subarray(1);
  const shapeBytes = new Uint8Array(shape.buffer, shape.byteOffset, shape.byteLength).slice();
  const { pointers, lengths } = pointerList([...texts, shape]);
  const expected = [...texts, shapeBytes];
  assertEquals([...lengths], expected.map(({ length }) => BigInt(length)));
  assertEquals([...pointers].map((address, i) => bytesAt(address, lengths[i]!)), expected);
  assertEquals(pointers[1], 0n);

  const start = Deno.UnsafePointer.value(Deno.UnsafePointer.of(pointers.buffer));
  for (const [i, address] of pointers.entries()) {
    if (address === 0n) continue;
    assertEquals(address % 8n, 0n);
    const place = address - start;
    assert(place >= 0n && place + lengths[i]! <= pointers.buffer.byteLength, `${place}`);
  }
});

Deno.test("pointerList() of nothing is empty", () => {
  const { pointers, lengths } = pointerList([]);
  assertEquals([pointers.length, lengths.length], [0, 0]);
});
