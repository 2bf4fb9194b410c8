import { assert, assertEquals } from "@std/assert";
import { machineLimits, schedulableCpus } from "../../io/machine_limits.ts";

/** A reader of these files and no others. */
function files(contents: Record<string, string>): (path: string) => string | undefined {
  return (path) => contents[path];
}

const NONE = { memoryBytes: undefined, cpus: undefined };

Deno.test("machineLimits() reads version 2, the narrowest of a group and those around it", () => {
  const group = "/proc/self/cgroup";
  assertEquals(
    machineLimits(files({
      [group]: "0::/user.slice/run.scope\n",
      "/sys/fs/cgroup/user.slice/run.scope/memory.max": "max\n",
      "/sys/fs/cgroup/user.slice/memory.max": "4000000000\n",
      "/sys/fs/cgroup/user.slice/run.scope/cpu.max": "150000 100000\n",
      "/sys/fs/cgroup/user.slice/cpu.max": "max 100000\n",
    })),
    { memoryBytes: 4e9, cpus: 1.5 },
  );
  const inContainer = {
    [group]: "0::/\n",
    "/sys/fs/cgroup/memory.max": "512000000\n",
    "/sys/fs/cgroup/cpu.max": "max 100000\n",
  };
  assertEquals(machineLimits(files(inContainer)), { memoryBytes: 512e6, cpus: undefined });
});

Deno.test("machineLimits() reads version 1, also by a path of outside of the container", () => {
  assertEquals(
    machineLimits(files({
      "/proc/self/cgroup": "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n1:name=systemd:/\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "2000000000\n",
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
      "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    })),
    { memoryBytes: 2e9, cpus: 0.5 },
  );
  assertEquals(
    machineLimits(files({
      "/proc/self/cgroup": "5:cpu:/\n4:memory:/\n",
      "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    })),
    NONE,
  );
});

Deno.test("machineLimits() knows of no limit where there are no control groups", () => {
  assertEquals(machineLimits(() => undefined), NONE);
  assertEquals(machineLimits(files({ "/proc/self/cgroup": "damaged\n0::\n" })), NONE);
});

Deno.test("schedulableCpus() counts the processors that a process may run on", () => {
  const status = (list: string) => files({ "/proc/self/status": `Cpus_allowed_list:\t${list}\n` });
  assertEquals(schedulableCpus(status("0-1")), 2);
  assertEquals(schedulableCpus(status("3")), 1);
  assertEquals(schedulableCpus(status("0-3,8,10-11")), 7);
  assertEquals(schedulableCpus(() => undefined), navigator.hardwareConcurrency);
  assert(schedulableCpus() >= 1);
});
