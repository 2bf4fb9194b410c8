import { assertEquals, assertMatch } from "@std/assert";
import { processor, processorModel } from "../../io/processor.ts";

/** As Linux writes it: a tab or two before the colon. */
const X86_64 = `processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 26
model\t\t: 2
model name\t: AMD EPYC
stepping\t: 1

processor\t: 1
cpu family\t: 25
model\t\t: 17
`;

const ARM64 = `processor\t: 0
BogoMIPS\t: 243.75
CPU implementer\t: 0x41
CPU architecture: 8
CPU part\t: 0xd0c
`;

Deno.test("processorModel() tells generations of one name apart", () => {
  assertEquals(processorModel(X86_64), "family 26, model 2");
  assertEquals(processorModel(ARM64), "implementer 0x41, part 0xd0c");
  for (const unknown of ["", "processor\t: 0\nmodel name\t: some\n", "cpu family\t: 6\n"]) {
    assertEquals(processorModel(unknown), undefined);
  }
});

Deno.test("processor() names this machine's", () => {
  const { processor: name, processor_model: model } = processor();
  assertMatch(name, /\S/);
  assertEquals(model, processorModel());
});
