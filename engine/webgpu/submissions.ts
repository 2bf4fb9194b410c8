/**
 * Whether the device has done what it was told.
 *
 * WebGPU reports what fails (memory that ran out, a device that was lost) as an event some time later,
 * and leaves out the commands that it concerns. A count kept on the device shows it in time: every
 * batch of commands adds one to it, so that a batch which was left out is missed at the next read.
 *
 * @module
 */

import { StudyError } from "../../io/errors.ts";

const COUNT = `
  @group(0) @binding(0) var<storage, read_write> count: array<u32>;
  @compute @workgroup_size(1) fn main() { count[0] += 1u; }
`;

/** Counts batches of commands, on the host and on the device. */
export class Submissions {
  /** The count on the device, one u32. */
  #buffer: GPUBuffer;
  #pipeline: GPUComputePipeline;
  #bindGroup: GPUBindGroup;
  #submitted = 0;
  #problem: string | undefined;
  #isClosing = false;

  constructor(device: GPUDevice) {
    this.#buffer = device.createBuffer({
      size: 4,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
    });
    this.#pipeline = device.createComputePipeline({
      layout: "auto",
      compute: { module: device.createShaderModule({ code: COUNT }), entryPoint: "main" },
    });
    this.#bindGroup = device.createBindGroup({
      layout: this.#pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: this.#buffer } }],
    });
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      const { error } = event as GPUUncapturedErrorEvent;
      this.#problem ??= error instanceof GPUOutOfMemoryError
        ? "its memory is full"
        : firstLine(error.message);
    });
    device.lost.then(({ message }) => {
      if (this.#isClosing) return;
      const reason = firstLine(message).replace(/^(the )?device was lost$/i, "");
      this.#problem ??= `the device was lost${reason && ` (${reason})`}`;
    });
  }

  /**
   * Adds one to the device's count, as the last of a batch of commands, and copies the count.
   *
   * @param target Where it goes.
   * @param offset In bytes.
   */
  count(encoder: GPUCommandEncoder, target: GPUBuffer, offset: number): void {
    const pass = encoder.beginComputePass();
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, this.#bindGroup);
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(this.#buffer, 0, target, offset, Uint32Array.BYTES_PER_ELEMENT);
    this.#submitted++;
  }

  /**
   * Compares the counts.
   *
   * @param done The device's; `undefined` if it could not be read.
   * @throws {StudyError} If they differ, or something was reported.
   */
  check(done: number | undefined): void {
    if (done === this.#submitted >>> 0 && this.#problem === undefined) return;
    throw new StudyError("The graphics adapter has stopped computing", {
      reason: this.#problem ?? "its memory is full, or it was lost",
      remedy:
        "go on from the last checkpoint with --resume, with a smaller batch if memory ran out",
    });
  }

  /** From now on the loss of the device is meant. */
  close(): void {
    this.#isClosing = true;
  }
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0] || "no reason was given";
}
