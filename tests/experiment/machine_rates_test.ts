import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { busyCores } from "../../experiment/machine_rates.ts";
import type { NodeRates } from "../../experiment/sweep_forecast.ts";
import { repositoryRoot } from "../../io/cache.ts";

/** A system of so many processors, with a control group that may keep some of them busy. */
const system = (last: number, quota = "max") => (path: string) =>
  ({
    "/proc/self/status": `Cpus_allowed_list:\t0-${last}\n`,
    "/proc/self/cgroup": "0::/job\n",
    "/sys/fs/cgroup/job/cpu.max": `${quota} 100000\n`,
  })[path];

Deno.test("busyCores() is the least of threads, processors and the control group's share", () => {
  const onCpu = (threads: number) => ({ device: "CPU", threads });
  assertEquals(busyCores(onCpu(16), system(15)), 16);
  assertEquals(busyCores(onCpu(1), system(15)), 1);
  assertEquals(busyCores(onCpu(16), system(3)), 4);
  assertEquals(busyCores(onCpu(16), system(15, "250000")), 2.5);
  assertEquals(busyCores({ device: "GPU", threads: 16 }, system(15)), null);
  assertEquals(busyCores({ device: "NVIDIA H100", threads: 1 }, system(15)), null);
});

Deno.test("machine_rates.ts takes no flag that changes nothing", async () => {
  const script = join(repositoryRoot(), "experiment/machine_rates.ts");
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P=engine", script, "--strict"],
    cwd: repositoryRoot(),
  }).output();
  assertEquals([code, stdout.length], [2, 0]);
});

Deno.test("machine_rates.ts says why it measures nothing, but where the parts will: with --quiet", async () => {
  const script = join(repositoryRoot(), "experiment/machine_rates.ts");
  for (const more of [[], ["--quiet"]]) {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-P=engine", script, "--backend=abacus", ...more],
      cwd: repositoryRoot(),
    }).output();
    assertEquals([code, stdout.length, stderr.length > 0], [2, 0, more.length === 0]);
  }
});

Deno.test("machine_rates.ts says with how many cores it has measured", async () => {
  const script = join(repositoryRoot(), "experiment/machine_rates.ts");
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P=engine", script, "--backend=tensorflow", "--device=cpu"],
    cwd: repositoryRoot(),
    env: { NO_COLOR: "1", TF_NUM_INTRAOP_THREADS: "1" },
  }).output();
  const [output, problem] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert(success && output !== "", problem);
  const rates: NodeRates = JSON.parse(output!);
  const { backend, ...numbers } = rates;
  assertEquals([backend, rates.cores], ["tensorflow", 1]);
  assert(Object.values(numbers).every((rate) => Number.isFinite(rate) && rate! > 0), output);
});
