/**
 * Loaded before a part: takes the graphics device away from it once a file is there, as a driver does
 * that is reset or unplugged. `LOSE_DEVICE` says a folder and the file's name in any folder below it.
 */

import { filesIn } from "./files_in.ts";

const [folder, name] = Deno.env.get("LOSE_DEVICE")!.split("|") as [string, string];

const { requestDevice } = GPUAdapter.prototype;
GPUAdapter.prototype.requestDevice = async function (descriptor) {
  const device = await requestDevice.call(this, descriptor);
  const timer = setInterval(() => {
    if (!filesIn(folder).some((path) => path.endsWith(name))) return;
    clearInterval(timer);
    device.destroy();
  }, 1);
  Deno.unrefTimer(timer);
  return device;
};
