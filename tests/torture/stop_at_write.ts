/**
 * For `--preload`: stops the process for good at the n-th thing that it does to the disk, half of a
 * write done, and says so on standard output. `?at=n`; with 0 nothing is stopped, and the end says how
 * many there were.
 */

const at = Number(new URL(import.meta.url).searchParams.get("at"));
let count = 0;

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}

/** Counts one, and never comes back from the n-th. */
function step(half: () => void = () => {}): void {
  if (++count !== at) return;
  half();
  say(`at write ${count}`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** Puts `step` before a function. */
function stepBefore<T extends object>(owner: T, name: keyof T & string): void {
  const own = owner[name];
  if (typeof own !== "function") throw new TypeError(`Deno has no ${name}`);
  Object.defineProperty(owner, name, {
    configurable: true,
    writable: true,
    value(this: unknown, ...args: unknown[]) {
      step();
      return Reflect.apply(own, this, args);
    },
  });
}

for (const name of ["mkdir", "remove", "rename", "writeFile", "writeTextFile"] as const) {
  stepBefore(Deno, name);
}
stepBefore(Deno.FsFile.prototype, "sync");
const { write, writeSync } = Deno.FsFile.prototype;
Deno.FsFile.prototype.write = function (bytes: Uint8Array): Promise<number> {
  step(() => writeSync.call(this, bytes.subarray(0, bytes.length >> 1)));
  return write.call(this, bytes);
};
if (at === 0) globalThis.addEventListener("unload", () => say(`${count} writes`));
