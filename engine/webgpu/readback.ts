/**
 * Reads what the device has computed without yielding to the event loop, as tfjs' `dataSync()` must.
 *
 * WebGPU maps a buffer asynchronously. In Deno the request itself waits for the device, so that the
 * range is there when it returns; its promise is kept ten milliseconds later, and waiting for that would
 * be most of the time of a read.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";

/** Bytes that are read at a time. */
export const CHUNK_BYTES: number = 8 * 2 ** 20;

/** The buffer through which the host reads: a chunk, and a word behind it. */
export class Readback {
  /** What is to be read is copied to its beginning. */
  readonly buffer: GPUBuffer;

  /** @throws {StudyError} If buffers cannot be read so, as in a Deno that works otherwise. */
  constructor(device: GPUDevice) {
    this.buffer = device.createBuffer({
      size: CHUNK_BYTES + Uint32Array.BYTES_PER_ELEMENT,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      // Deno ends the process where a range is asked for of a buffer that was never mapped.
      mappedAtCreation: true,
    });
    this.buffer.unmap();
    const written = Uint32Array.of(0x5ca1ab1e);
    device.queue.writeBuffer(this.buffer, 0, written);
    device.queue.submit([]);
    const read = this.map();
    if (read !== undefined && new Uint32Array(read.chunk, 0, 1)[0] === written[0]) return;
    throw new StudyError(`Deno ${Deno.version.deno} reads nothing back from WebGPU in time`, {
      remedy: "use Deno 2.9, or another --backend",
    });
  }

  /**
   * Waits for what was submitted, and reads the buffer.
   *
   * @param size Bytes of the chunk.
   * @returns Undefined if the device is lost.
   */
  map(size: number = CHUNK_BYTES): { chunk: ArrayBuffer; word: number } | undefined {
    const { buffer } = this;
    // What goes wrong shows where the range is asked for.
    buffer.mapAsync(GPUMapMode.READ).catch(() => {});
    try {
      const mapped = buffer.getMappedRange();
      const chunk = mapped.slice(0, size);
      const word = new Uint32Array(mapped, CHUNK_BYTES, 1)[0]!;
      buffer.unmap();
      return { chunk, word };
    } catch {
      return undefined;
    }
  }
}
