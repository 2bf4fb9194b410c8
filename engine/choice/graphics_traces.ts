/**
 * What Linux shows of graphics hardware without any driver being loaded.
 *
 * Asking WebGPU for an adapter loads every Vulkan driver that is installed, software ones too, which
 * takes a quarter of a second and more. On a machine without a GPU that is time for nothing.
 *
 * @module
 */

import { readSystemFile, withLibc } from "../../io/libc.ts";
import type { ReadSystemFile } from "../../io/machine_limits.ts";

/** Render nodes have numbers from here on; no machine has more GPUs than are asked about. */
const FIRST_NODE = 128;
const NODES = 16;

/** Drivers that have no render node: NVIDIA's own, Windows' below WSL, and those of phones' chips. */
const OTHER_DRIVERS = /\b(dxg|mali\d*|kgsl\S*|pvr\S*|nvgpu\S*|nvmap)\b/g;

/**
 * Words that stand for the graphics hardware that the system knows of, the same as long as that is the
 * same; empty where it knows of none.
 *
 * @returns `undefined` where that cannot be told: on other systems than Linux, and without the
 * permission to ask.
 */
export function graphicsTraces(
  { os = Deno.build.os, read }: { os?: string; read?: ReadSystemFile } = {},
): string | undefined {
  if (os !== "linux") return undefined;
  return read !== undefined ? tracesBy(read) : withLibc(() => tracesBy(readSystemFile));
}

function tracesBy(read: ReadSystemFile): string | undefined {
  const others = read("/proc/misc");
  if (others === undefined) return undefined;
  const nodes = Array.from({ length: NODES }, (_, i) => {
    const node = `/sys/class/drm/renderD${FIRST_NODE + i}`;
    return read(`${node}/device/uevent`) ?? read(`${node}/dev`);
  });
  const listed = `${others}\n${read("/proc/devices") ?? ""}`.match(OTHER_DRIVERS) ?? [];
  return [...nodes, read("/proc/driver/nvidia/version"), ...listed]
    .flatMap((text) => text?.trim() || []).join("; ").replace(/\s+/g, " ");
}
