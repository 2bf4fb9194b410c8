/**
 * What tfjs runs its kernels on: the package's, with reads that wait for the device, a bound on the
 * memory that is kept unused, and programs that change several tensors in place.
 *
 * @module
 */

import * as tf from "@tensorflow/tfjs";
import { StudyError } from "../../io/errors.ts";
import { formatBytes } from "../../io/reporter.ts";
import { engineIsGone } from "../gone.ts";
import type { PackageKernels, TensorData, WebGpuPackage } from "./package.ts";
import { CHUNK_BYTES, Readback } from "./readback.ts";
import { Submissions } from "./submissions.ts";

/** Bytes of unused buffers that are kept for later tensors of their sizes. */
const KEPT_BYTES = 512 * 2 ** 20;

/** Elements up to which the host keeps what it has uploaded: to read it back it would wait for the device. */
const KEPT_ELEMENTS = 1024;

/** Programs that are submitted together, as the package does with its own. */
const PROGRAMS_PER_SUBMIT = 15;

/** An element's bytes on the device, of whatever type. */
export const ELEMENT_BYTES = 4;

/** Of what a program is given of a buffer, the first byte's place is a multiple of this. */
const BINDING_ALIGNMENT = 256;

/** A run of a program on tensors that it may change. */
export interface ProgramRun {
  program: GPUComputePipeline;
  /** Bindings 0, 1, ...: first those that it writes to, then those that it reads. */
  written: readonly tf.TensorInfo[];
  read: readonly tf.TensorInfo[];
  /** The next ones, of which it is always given all elements. */
  whole?: readonly tf.TensorInfo[];
  /** The binding after them: four bytes a number. */
  uniforms: ArrayBuffer;
  workgroups: readonly [x: number, y: number, z?: number];
  /** Which elements it is given of `written` and `read`; all of them unless said. */
  elements?: ElementRange;
}

/** Elements that follow each other. */
export interface ElementRange {
  /** A multiple of 64. */
  start: number;
  count: number;
}

/** The package's kernels with ours. */
export interface WebGpuKernels extends PackageKernels {
  /** Whether its device is gone. */
  readonly isDisposed: boolean;
  /** Compiles a program, once. */
  program(wgsl: string): GPUComputePipeline;
  /** Runs a program, in its turn with all others. */
  run(run: ProgramRun): void;
  /** Copies elements of one tensor to another. */
  copyElements(
    ...[from, first, to, start, count]: [tf.TensorInfo, number, tf.TensorInfo, number, number]
  ): void;
  /** Most bytes that a program may be given of a tensor. */
  readonly largestBinding: number;
  /** Cuts a tensor's elements into ranges that a program may be given. */
  elementRanges(tensor: Pick<tf.TensorInfo, "shape">): ElementRange[];
}

/** Makes the kernels of a device, out of the package's. */
export function makeKernels(
  { WebGPUBackend }: WebGpuPackage,
  device: GPUDevice,
  info: GPUAdapterInfo,
): WebGpuKernels {
  const submissions = new Submissions(device);
  const readback = new Readback(device);
  const programs = new Map<string, GPUComputePipeline>();

  const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;

  class Kernels extends WebGPUBackend implements WebGpuKernels {
    isDisposed = false;
    readonly largestBinding = Math.floor(maxStorageBufferBindingSize / BINDING_ALIGNMENT) *
      BINDING_ALIGNMENT;

    override readSync(dataId: tf.DataId): tf.BackendValues {
      if (this.isDisposed) engineIsGone();
      const data = this.tensorMap.get(dataId);
      // Complex ones come back here, part by part.
      if (data.values || !data.resource || data.dtype === "complex64") {
        return super.readSync(dataId);
      }
      return this.#keepValues(data, this.#read(data.resource, sizeOf(data)));
    }

    /** At once: the package would look for a tensor that may have been disposed of meanwhile. */
    override read(dataId: tf.DataId): Promise<tf.BackendValues> {
      return new Promise((resolve) => resolve(this.readSync(dataId)));
    }

    /** Through the queue, where the package makes a buffer for each upload. */
    override uploadToGPU(dataId: tf.DataId): void {
      const data = this.tensorMap.get(dataId);
      if (data.resource) return;
      if (sizeOf(data) > maxBufferSize) {
        throw new StudyError(
          `A tensor of shape [${data.shape}] has ${formatBytes(sizeOf(data))}, and ` +
            `${info.description} has ${formatBytes(maxBufferSize)} for one at most`,
          { remedy: "take a smaller batch, or another --backend" },
        );
      }
      data.resource = this.bufferManager.acquireBuffer(
        // A program cannot be bound to nothing.
        Math.max(sizeOf(data), ELEMENT_BYTES),
        GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      );
      if (!data.values) return;
      const words = data.dtype === "float32" ? Float32Array : Int32Array;
      const { values } = data as { values: tf.TypedArray };
      const elements = values instanceof words ? values : words.from(values);
      // Deno ends the process where it is given nothing to write.
      if (elements.length === 0) return;
      this.queue.writeBuffer(data.resource, 0, elements as BufferSource);
      if (elements.length > KEPT_ELEMENTS) data.values = null;
    }

    override submitQueue(): void {
      this.ensureCommandEncoderReady();
      submissions.count(this.commandEncoder!, readback.buffer, CHUNK_BYTES);
      super.submitQueue();
      this.#freeUnused();
    }

    program(wgsl: string): GPUComputePipeline {
      let program = programs.get(wgsl);
      if (program === undefined) {
        program = device.createComputePipeline({
          layout: "auto",
          compute: { module: device.createShaderModule({ code: wgsl }), entryPoint: "main" },
        });
        programs.set(wgsl, program);
      }
      return program;
    }

    run(
      { program, written, read, whole = [], uniforms, workgroups, elements }: ProgramRun,
    ): void {
      const range = elements && {
        offset: ELEMENT_BYTES * elements.start,
        size: ELEMENT_BYTES * elements.count,
      };
      const tensors = [...written, ...read].map((tensor) => {
        if (range === undefined) this.#checkTensor(tensor);
        return { buffer: this.#bufferOf(tensor), ...range };
      });
      for (const tensor of whole) {
        this.#checkTensor(tensor);
        tensors.push({ buffer: this.#bufferOf(tensor) });
      }
      // What the host has read of them before holds no longer.
      for (const { dataId } of written) this.tensorMap.get(dataId).values = null;
      const uniform = this.bufferManager.acquireBuffer(
        uniforms.byteLength,
        GPUBufferUsage.COPY_DST | GPUBufferUsage.UNIFORM,
      );
      this.queue.writeBuffer(uniform, 0, uniforms);
      this.uniformPendingDisposal.push(uniform);
      const bindGroup = device.createBindGroup({
        layout: program.getBindGroupLayout(0),
        entries: [...tensors, { buffer: uniform }].map((resource, binding) => ({
          binding,
          resource,
        })),
      });
      this.ensureCommandEncoderReady();
      this.computePassEncoder ??= this.commandEncoder!.beginComputePass();
      this.computePassEncoder.setPipeline(program);
      this.computePassEncoder.setBindGroup(0, bindGroup);
      this.computePassEncoder.dispatchWorkgroups(...workgroups);
      if (++this.dispatchCountInPass < PROGRAMS_PER_SUBMIT) return;
      this.endComputePassEncoder();
      this.submitQueue();
    }

    copyElements(
      ...[from, first, to, start, count]: [tf.TensorInfo, number, tf.TensorInfo, number, number]
    ): void {
      const [source, target] = [this.#bufferOf(from), this.#bufferOf(to)];
      this.tensorMap.get(to.dataId).values = null;
      this.endComputePassEncoder();
      this.ensureCommandEncoderReady();
      this.commandEncoder!.copyBufferToBuffer(
        ...[source, ELEMENT_BYTES * first, target, ELEMENT_BYTES * start] as const,
        ELEMENT_BYTES * count,
      );
    }

    elementRanges({ shape }: Pick<tf.TensorInfo, "shape">): ElementRange[] {
      const all = tf.util.sizeFromShape(shape);
      const most = this.largestBinding / ELEMENT_BYTES;
      return Array.from({ length: Math.max(1, Math.ceil(all / most)) }, (_, i) => ({
        start: i * most,
        count: Math.min(most, all - i * most),
      }));
    }

    /** The package's programs are given whole tensors. */
    override runWebGPUProgram(
      ...run: Parameters<PackageKernels["runWebGPUProgram"]>
    ): tf.TensorInfo {
      const [program, inputs, dtype] = run;
      for (const input of inputs) this.#checkTensor(input);
      this.#checkSize({ shape: program.outputShape, dtype });
      const result = super.runWebGPUProgram(...run);
      // Some are given a tensor to write to.
      const data = this.tensorMap.get(result.dataId);
      if (data.resource) data.values = null;
      return result;
    }

    override dispose(): void {
      if (this.isDisposed) return;
      this.isDisposed = true;
      submissions.close();
      super.dispose();
      device.destroy();
    }

    /** On the device, and in use until the commands are submitted. */
    #bufferOf({ dataId }: tf.TensorInfo): GPUBuffer {
      this.uploadToGPU(dataId);
      this.commandQueueOwnedIds.add(dataId);
      return this.tensorMap.get(dataId).resource!;
    }

    /** 8-bit values take less than their shape says. */
    #checkTensor(tensor: tf.TensorInfo): void {
      this.#checkSize(tensor, sizeOf(this.tensorMap.get(tensor.dataId)));
    }

    #checkSize(
      { shape, dtype }: Pick<tf.TensorInfo, "shape" | "dtype">,
      bytes = ELEMENT_BYTES * tf.util.sizeFromShape(shape),
    ): void {
      if (bytes <= this.largestBinding) return;
      throw new StudyError(
        `A ${dtype} tensor of shape [${shape}] has ${
          formatBytes(bytes)
        }, and ${info.description} ` +
          `can compute on ${formatBytes(this.largestBinding)} at once`,
        { remedy: "take a smaller batch, or another --backend" },
      );
    }

    #keepValues(data: TensorData, bytes: ArrayBuffer): tf.BackendValues {
      const { dtype } = data;
      const words = dtype === "float32" ? new Float32Array(bytes) : new Int32Array(bytes);
      return data.values = dtype === "bool" ? Uint8Array.from(words) : words;
    }

    /** Chunk by chunk; an error if any command before was left out. */
    #read(buffer: GPUBuffer, size: number): ArrayBuffer {
      const bytes = new Uint8Array(size);
      for (let start = 0; start < size; start += CHUNK_BYTES) {
        const count = Math.min(CHUNK_BYTES, size - start);
        this.endComputePassEncoder();
        this.ensureCommandEncoderReady();
        this.commandEncoder!.copyBufferToBuffer(buffer, start, readback.buffer, 0, count);
        this.submitQueue();
        const read = readback.map(count);
        submissions.check(read?.word);
        bytes.set(new Uint8Array(read!.chunk), start);
      }
      return bytes.buffer;
    }

    /** The package keeps every buffer that was ever used; sizes that do not come again pile up. */
    #freeUnused(): void {
      const manager = this.bufferManager;
      if (manager.numBytesAllocated - manager.numBytesUsed <= KEPT_BYTES) return;
      for (const buffers of manager.freeBuffers.values()) {
        for (const buffer of buffers.splice(0)) {
          buffer.destroy();
          manager.numFreeBuffers--;
          manager.numBytesAllocated -= buffer.size;
        }
      }
    }
  }

  return new Kernels(device, info);
}

/** Bytes of a tensor on the device. */
function sizeOf({ shape }: TensorData): number {
  return ELEMENT_BYTES * tf.util.sizeFromShape(shape);
}
