/// <reference lib="dom" />
/** The page in a browser: drawn on, by a hand, a pen and keys, with a server and without. */

import { assert, assertEquals, assertFalse } from "@std/assert";
import { join, toFileUrl } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "puppeteer-core";
import { SIMPLE_CNN, SIMPLE_CNN_FAST } from "../../study.ts";
import { BROWSER, seriousViolations, withBrowser } from "../browser.ts";
import { withFolder } from "../report/result_rows.ts";
import {
  cardOf,
  clear,
  DIGITS,
  dispatchStrokes,
  draw,
  drawStrokes,
  open,
  serveFolder,
  settle,
  startDrawing,
  trainModels,
} from "./drawn_page.ts";
