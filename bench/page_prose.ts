/**
 * What `bench.md` says whatever was found.
 *
 * @module
 */

import { DETECTION, SIMPLE_CNN } from "../study.ts";
import { READ_INTERVAL } from "../training/trainer.ts";
import { IN_OUR_CALLS, SINGLE_CALLS } from "./transfer_plans.ts";

/** Below the table of targets. */
export const TARGETS_NOTE = `\
One aim is not the bench's: that \`deno task compare\` takes time in proportion to runs, up to 10,000 of them.
\`docs/cluster.md\` has what it took over 60 runs and over 9,996, the two sizes that were timed.
`;

/** Above the tables of kernels. */
export const PROFILE_PREFACE = `\
The start and duration of each oneDNN kernel (\`ONEDNN_VERBOSE\`), in a process that does nothing but
steps. Kernels that do not depend on each other, such as the two gradients of a layer, run concurrently;
the time that they share is divided among them. Image batches, biases, ReLU, dropout, loss and Adam are
not computed by oneDNN: as far as they overlap with its kernels, they are included in the kernels' time;
the rest is the last row but one.
`;

/** Above the recipes' tables. */
export const RECIPES_PREFACE = `\
\`bench/tune_fast.ts\` trains on the first 50,000 of MNIST's training digits and judges on the last
10,000; the test digits are not used. Seconds are the time of the epochs on the machine where this was
run, which may not be the machine of this page. The trials by which our recipes were chosen, on the same
digits, were not kept.
`;

/** Above the table of GB/s. */
export const MEMORY_PREFACE = `
Work that is limited by memory bandwidth is compared with a limit of its own: the fastest single Adam
update of many parameters on either side, of which both must have timings. Only unavoidable traffic is
counted: a step of large linear layers reads each weight, writes its gradient, and updates it in one pass.
`;

/** What either side's clock covers. */
export const HOW = `\
Both processes stay alive and work alternately, ours first. Each kind of work is warmed up for at least
a second, with a pause of 0.2 s between the sides.

- Our training step is the trainer's own loop on the whole set: shuffle, gather, normalise, forward,
  loss, gradients, Adam with L2. As in a run, it reads the losses of ${READ_INTERVAL} steps, or of a second,
  at once, and it waits for the last step before its clock stops, unless a note says otherwise. PyTorch's works on one normalised
  batch that is in memory already: forward, loss, gradients, Adam with L2, reading the loss of each step.
- Our inference is the suite's evaluation: upload, recording, gather, normalise, forward, losses,
  scores, metrics. PyTorch's only classifies normalised images that are already in memory. On either side
  a call has ${SIMPLE_CNN.training.batchSize} images, as in the study, unless a note says otherwise, and its
  results are read after it.
- Features of part 4 start on both sides from 32 normalised images of 224×224 in memory, and end with
  the features in memory: resizing the digits is not timed on either side. A classifier's step starts from
  features in memory: forward with dropout, loss, gradients, Adam with L2, reading the loss. Weights
  are random.
- The detector starts from images in memory and ends with their detections. Both sides have the same
  weights, made by a formula, and so propose the same 1,000 regions and find the same objects. PyTorch
  takes a batch in one call, as in the study; ours takes it in calls of ${DETECTION.batchSize} images, as part 2
  does, which need less memory and may need less time. "${IN_OUR_CALLS.label}" does the same;
  "${SINGLE_CALLS.label}" takes them one by one.
- Launch and part 1 are whole programs, timed from their start until they log a first step or end.
  The study's script reads the same images from unpacked files.
- Part 4 as a whole is a program too, timed once on each side. The study's procedure resizes its digits in
  two worker processes besides the one that computes, and recomputes the frozen features in every epoch;
  ours computes them once. Where a second peer is listed, it is PyTorch computing them once, too; where that
  was not run, a note on the row that is estimated from rates says what the speed-up over it would be.
- Where a side of part 4 runs on two sets of images, the pace of all is taken to be that of the larger
  set's additional images. A note sets it beside that of the smaller set, whose time includes the program's
  start, and says how far apart they are; whether the pace stays the same beyond the larger set, two sets
  cannot show.
- Memory is that of a whole program of ours, on its own: part 1 with all its epochs, part 2 with 32 test
  images, part 4 with one epoch and, as in its timed runs, no features in its cache, unless a note says
  otherwise.
- Building models, compiling them (with torch.compile, too) and loading data are not included in steps,
  inference and limits; they are included in launch, part 1 and memory.
`;

/** The same of growth. */
export const HOW_GROWTH = `\
- Growth is of what is held just after a garbage collection that returns free pages to the system, sampled
  every 50 steps. That of memory compares medians of the last five samples up to either step. The number of
  handles swings from one sample to the next, so that two of them say nothing: a straight line is fitted by
  least squares to its means over each 1,000 steps, and it has grown if the 95 % interval of that line's
  rise lies above 0, or if the last five samples all have more than any before.
`;

/** The same of graphics adapters. */
export const HOW_ON_GPU = `\
- What is "in memory" at the start is in the memory of each side's device. Features, classes and
  detections are copied to the computer's own memory, on both sides while the clock runs. Ours reads a
  number of what was computed last before its clock stops; PyTorch's clock stops when its device has done
  what it was told (\`synchronize()\`).
- PyTorch's defaults let NVIDIA's GPUs round what convolutions multiply to TF32; with "TF32 off" all of
  it is float32, as ours is.
`;
