/// <reference lib="dom" />
/**
 * The page as files: SimpleCNN is computed in the browser.
 *
 * @module
 */

import "@tensorflow/tfjs-backend-cpu";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { webgl_util } from "@tensorflow/tfjs-backend-webgl";
import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
console.log(setWasmPaths, webgl_util, tf, loadLayersModel);
