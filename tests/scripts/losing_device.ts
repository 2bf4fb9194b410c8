/**
 * Loaded before a part: takes the graphics device away from it once a checkpoint is in its `--out`, as a
 * driver does that is reset or unplugged.
 */

import { CHECKPOINT } from "../../experiment/resume.ts";
import { filesIn } from "./files_in.ts";

const out = Deno.args[Deno.args.indexOf("--out") + 1]!;

const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = async function (descriptor) {
  const device = await requestDevice.call(this, descriptor);
  const timer = setInterval(() => {
    if (!filesIn(out).some((path) => path.endsWith(CHECKPOINT))) return;
    clearInterval(timer);
    device.destroy();
  }, 1);
  Deno.unrefTimer(timer);
  return device;
};
