/** Counts the memory that code asks for, so that a test can hold it to a bound. */

/** Bytes of the buffers made by `new` during `action`. */
export async function bytesTaken(action: () => Promise<void>): Promise<number> {
  let bytes = 0;
  const { ArrayBuffer, Uint8Array } = globalThis;
  const counting = <T extends typeof ArrayBuffer | typeof Uint8Array>(type: T): T =>
    new Proxy(type, {
      construct(target, args) {
        if (typeof args[0] === "number") bytes += args[0];
        return Reflect.construct(target, args);
      },
    });
  Object.assign(globalThis, {
    ArrayBuffer: counting(ArrayBuffer),
    Uint8Array: counting(Uint8Array),
  });
  try {
    await action();
  } finally {
    Object.assign(globalThis, { ArrayBuffer, Uint8Array });
  }
  return bytes;
}
