/**
 * The graphics adapter: which one there is, what it is called, and the device that it makes.
 *
 * @module
 */

import { setUnlessGiven } from "../../io/environment.ts";
import { StudyError } from "../../io/errors.ts";
import { withQuietStderr } from "../../io/quiet_stderr.ts";
import type { AdapterDescription } from "../backend.ts";

/** An adapter that was found. It makes one device and is used up then: look for it again for another. */
export interface FoundAdapter {
  description: AdapterDescription;
  adapter: GPUAdapter;
}

/**
 * Limits that are raised to what the adapter has: WebGPU's defaults are those of phones. The others
 * stay, as the kernels keep to them.
 */
const RAISED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupsPerDimension",
] as const satisfies (keyof GPUSupportedLimits)[];

/**
 * Graphics interfaces that adapters are looked for in, unless the user has named some. OpenGL is none of
 * them: once its loader (libEGL, of libglvnd) is in the process, a thread that ends while the process does
 * frees its state a second time. One in 300 processes of `deno test` died of that.
 */
const INTERFACES = ["DENO_WEBGPU_BACKEND", "vulkan,metal,dx12"] as const;

/** Vendors by what Deno names them with: numbers of the PCI register, and Vulkan's own above it. */
const VENDORS: Readonly<Record<number, string>> = {
  0x1002: "AMD",
  0x1010: "Imagination",
  0x106b: "Apple",
  0x10de: "NVIDIA",
  0x13b5: "Arm",
  0x1414: "Microsoft",
  0x14e4: "Broadcom",
  0x5143: "Qualcomm",
  0x8086: "Intel",
  0x10005: "Mesa",
};

/**
 * Looks for an adapter.
 *
 * @param device `software` allows one that computes on the CPU; all others do not.
 * @param verbose Let through what drivers say meanwhile.
 * @throws {StudyError} If there is none, with the remedy.
 */
export async function findAdapter(
  device: "auto" | "gpu" | "software",
  verbose = false,
): Promise<FoundAdapter> {
  const { gpu } = navigator;
  if (gpu === undefined) {
    throw new StudyError("This Deno has no WebGPU", { remedy: "deno upgrade" });
  }
  setUnlessGiven(...INTERFACES);
  const request = () => gpu.requestAdapter({ powerPreference: "high-performance" });
  // Drivers are loaded before it returns, and say that there is no desktop.
  const adapter = await (verbose ? request() : withQuietStderr(request));
  if (adapter === null) {
    throw new StudyError("No graphics adapter is there for WebGPU", {
      remedy:
        "install the graphics driver (on Linux with Vulkan, such as mesa-vulkan-drivers), or " +
        "use another --backend",
    });
  }
  const description = describe(adapter);
  if (description.isSoftware && device !== "software") {
    throw new StudyError(
      `WebGPU has only ${description.name} here, which computes on the CPU`,
      { remedy: "--device software allows it, or use another --backend" },
    );
  }
  return { adapter, description };
}

/**
 * Makes the device.
 *
 * @throws {StudyError} If the driver refuses.
 */
export async function requestDevice({ adapter, description }: FoundAdapter): Promise<GPUDevice> {
  const requiredLimits = Object.fromEntries(
    RAISED_LIMITS.map((name) => [name, adapter.limits[name]]),
  );
  try {
    // Features are left out: no kernel needs one, and tfjs' own list has names that Deno does not know.
    return await adapter.requestDevice({ requiredLimits });
  } catch (error) {
    throw new StudyError(`${description.name} cannot be used with WebGPU`, {
      reason: error instanceof Error ? error.message : String(error),
      remedy: "update the graphics driver, or use another --backend",
      cause: error,
    });
  }
}

function describe({ info, limits }: GPUAdapter): AdapterDescription {
  const number = Number(info.vendor);
  return {
    name: info.description || info.device || "unnamed adapter",
    vendor: VENDORS[number] ?? (info.vendor || "unknown vendor"),
    isSoftware: isSoftware(info),
    limits: Object.fromEntries(RAISED_LIMITS.map((name) => [name, limits[name]])),
  };
}

/** Of a driver that computes on the CPU, Deno says so; older ones leave it to the name. */
function isSoftware(info: GPUAdapterInfo): boolean {
  return info.isFallbackAdapter || /llvmpipe|swiftshader|basic render/i.test(info.description);
}
