import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import { join } from "node:path";
import { isLocked, tryLock, withLock } from "../../io/lock.ts";

async function inTemporaryFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await action(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("withLock() lets one action run at a time and tells the one that waits", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "inner", "lock");
    const events: string[] = [];
    const first = withLock(path, async () => {
      events.push("first begins");
      await new Promise((resolve) => setTimeout(resolve, 100));
      events.push("first ends");
    });
    while (events.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = withLock(path, () => {
      events.push("second");
      return Promise.resolve(7);
    }, { onWait: () => events.push("second waits") });
    assertEquals((await Promise.all([first, second]))[1], 7);
    assertEquals(events, ["first begins", "second waits", "first ends", "second"]);
  }));

Deno.test("withLock() is freed when the action fails", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "lock");
    await assertRejects(() => withLock(path, () => Promise.reject(new Error("no"))), Error, "no");
    let waited = false;
    assertEquals(
      await withLock(path, () => Promise.resolve(1), { onWait: () => waited = true }),
      1,
    );
    assert(!waited);
  }));

Deno.test("withLock() ends its waiting when aborted, and tells of it only when it takes long", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "lock");
    using _held = await tryLock(path);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("no more")), 100);
    const events: string[] = [];
    const wait = (quietMs: number, signal: AbortSignal) =>
      withLock(path, () => Promise.resolve(), {
        ...{ signal, quietMs },
        onWait: () => events.push(`told after ${quietMs}`),
      });
    await Promise.all(
      [0, 60_000].map((quietMs) =>
        assertRejects(() => wait(quietMs, controller.signal), Error, "no more")
      ),
    );
    assertEquals(events, ["told after 0"]);
  }));

Deno.test("tryLock() takes a lock that nobody holds until it is disposed", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "inner", "lock");
    assertFalse(await isLocked(path));
    {
      using held = await tryLock(path);
      assert(held !== undefined);
      assert(await isLocked(path));
      assertEquals(await tryLock(path), undefined);
    }
    assertFalse(await isLocked(path));
    using again = await tryLock(path);
    assert(again !== undefined);
  }));

Deno.test("withLock() is freed by the system when its process is killed", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "lock");
    const script = join(folder, "hold.ts");
    await Deno.writeTextFile(
      script,
      `import { withLock } from ${JSON.stringify(import.meta.resolve("../../io/lock.ts"))};
       await withLock(${JSON.stringify(path)}, () => {
         console.log("held");
         return new Promise((resolve) => setTimeout(resolve, 60_000));
       });`,
    );
    const holder = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", script],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = holder.stdout.getReader();
    await reader.read();
    let waited = false;
    const result = withLock(path, () => Promise.resolve("free"), {
      onWait: () => {
        waited = true;
        holder.kill("SIGKILL");
      },
    });
    assertEquals(await result, "free");
    assert(waited);
    await reader.cancel();
    await holder.status;
  }));
