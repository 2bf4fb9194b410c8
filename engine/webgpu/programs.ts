/**
 * Programs in WGSL for what tfjs has no kernel of, or several.
 *
 * @module
 */

/** Threads of a workgroup, in programs of one thread per element. */
export const THREADS = 64;

/** The place of a thread of many, which are laid out in rows of workgroups. */
export const PLACE: string = `
  fn place(id: vec3<u32>, groups: vec3<u32>) -> u32 {
    return id.x + id.y * groups.x * ${THREADS}u;
  }
`;

/** The head of their main function. */
export const MAIN: string = `@compute @workgroup_size(${THREADS}) fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
  )`;

/** One Adam update; the formula is TensorFlow's, in which a moment moves by what it lacks. */
export const APPLY_ADAM: string = `
  struct Settings {
    count: u32, step_size: f32, epsilon: f32, beta1: f32, beta2: f32, weight_decay: f32,
  }
  @group(0) @binding(0) var<storage, read_write> parameter: array<f32>;
  @group(0) @binding(1) var<storage, read_write> mean: array<f32>;
  @group(0) @binding(2) var<storage, read_write> square: array<f32>;
  @group(0) @binding(3) var<storage, read> gradient: array<f32>;
  @group(0) @binding(4) var<uniform> settings: Settings;
  ${PLACE}
  ${MAIN} {
    let i = place(id, groups);
    if (i >= settings.count) { return; }
    let g = gradient[i] + parameter[i] * settings.weight_decay;
    let m = mean[i] + (g - mean[i]) * (1.0 - settings.beta1);
    let v = square[i] + (g * g - square[i]) * (1.0 - settings.beta2);
    mean[i] = m;
    square[i] = v;
    parameter[i] -= settings.step_size * m / (sqrt(v) + settings.epsilon);
  }
`;

/** `variable[row, start + column] = value[row, column]`. */
export const ASSIGN_SLICE: string = `
  struct Settings { count: u32, start: u32, value_columns: u32, variable_columns: u32 }
  @group(0) @binding(0) var<storage, read_write> variable: array<f32>;
  @group(0) @binding(1) var<storage, read> value: array<f32>;
  @group(0) @binding(2) var<uniform> settings: Settings;
  ${PLACE}
  ${MAIN} {
    let i = place(id, groups);
    if (i >= settings.count) { return; }
    let row = i / settings.value_columns;
    let column = i % settings.value_columns + settings.start;
    variable[row * settings.variable_columns + column] = value[i];
  }
`;

/**
 * Rows of bytes, four to a word, widened, as far as they lie in a range of the words.
 *
 * @param type What to.
 */
export function gatherUint8(type: "f32" | "i32"): string {
  return `
  struct Settings { count: u32, width: u32, start: u32, words: u32 }
  @group(0) @binding(0) var<storage, read> words: array<u32>;
  @group(0) @binding(1) var<storage, read_write> result: array<${type}>;
  @group(0) @binding(2) var<storage, read> indices: array<i32>;
  @group(0) @binding(3) var<uniform> settings: Settings;
  ${PLACE}
  ${MAIN} {
    let i = place(id, groups);
    if (i >= settings.count) { return; }
    let byte = u32(indices[i / settings.width]) * settings.width + i % settings.width;
    let word = byte / 4u - settings.start;
    if (byte / 4u < settings.start || word >= settings.words) { return; }
    result[i] = ${type}(extractBits(words[word], 8u * (byte % 4u), 8u));
  }
`;
}

/** `dy` where `y` is above 0. */
export const RELU_GRAD: string = `
  @group(0) @binding(0) var<storage, read_write> result: array<f32>;
  @group(0) @binding(1) var<storage, read> dy: array<f32>;
  @group(0) @binding(2) var<storage, read> y: array<f32>;
  @group(0) @binding(3) var<uniform> count: u32;
  ${PLACE}
  ${MAIN} {
    let i = place(id, groups);
    if (i < count) { result[i] = select(0.0, dy[i], y[i] > 0.0); }
  }
`;

/** A thread per row: the loss, and softmax less one at the label. */
export const SPARSE_SOFTMAX_CROSS_ENTROPY: string = `
  struct Settings { rows: u32, classes: u32 }
  @group(0) @binding(0) var<storage, read_write> loss: array<f32>;
  @group(0) @binding(1) var<storage, read_write> gradient: array<f32>;
  @group(0) @binding(2) var<storage, read> logits: array<f32>;
  @group(0) @binding(3) var<storage, read> labels: array<i32>;
  @group(0) @binding(4) var<uniform> settings: Settings;
  ${PLACE}
  ${MAIN} {
    let row = place(id, groups);
    if (row >= settings.rows) { return; }
    let start = row * settings.classes;
    var largest = logits[start];
    for (var k = 1u; k < settings.classes; k++) { largest = max(largest, logits[start + k]); }
    var sum = 0.0;
    for (var k = 0u; k < settings.classes; k++) { sum += exp(logits[start + k] - largest); }
    let label = u32(labels[row]);
    loss[row] = log(sum) - (logits[start + label] - largest);
    for (var k = 0u; k < settings.classes; k++) {
      let share = exp(logits[start + k] - largest) / sum;
      gradient[start + k] = share - select(0.0, 1.0, k == label);
    }
  }
`;

/**
 * Uniform numbers in [0, 1) of TensorFlow's stateless generator: Philox4x32-10, four to a thread. The
 * same numbers as `fillUniform()` of `portable/philox.ts`, which has the source.
 */
export const RANDOM_UNIFORM: string = `
  struct Settings { count: u32, first_counter: u32 }
  @group(0) @binding(0) var<storage, read_write> values: array<f32>;
  @group(0) @binding(1) var<storage, read> seeds: array<i32>;
  @group(0) @binding(2) var<uniform> settings: Settings;
  ${PLACE}
  fn high_word(x: u32, y: u32) -> u32 {
    let x0 = x & 0xffffu;
    let x1 = x >> 16u;
    let y0 = y & 0xffffu;
    let y1 = y >> 16u;
    let middle = x1 * y0 + ((x0 * y0) >> 16u);
    let carried = x0 * y1 + (middle & 0xffffu);
    return x1 * y1 + (middle >> 16u) + (carried >> 16u);
  }
  fn philox(counter: vec4<u32>, start: vec2<u32>) -> vec4<u32> {
    var words = counter;
    var key = start;
    for (var round = 0u; round < 10u; round++) {
      let a = words.x;
      let c = words.z;
      words = vec4<u32>(
        high_word(0xcd9e8d57u, c) ^ words.y ^ key.x,
        0xcd9e8d57u * c,
        high_word(0xd2511f53u, a) ^ words.w ^ key.y,
        0xd2511f53u * a,
      );
      key += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    }
    return words;
  }
  ${MAIN} {
    let i = place(id, groups);
    if (4u * i >= settings.count) { return; }
    let first = seeds[0];
    let second = seeds[1];
    // Seeds are 64-bit numbers, low word first.
    let seed = philox(
      vec4<u32>(u32(first), u32(first >> 31u), u32(second), u32(second >> 31u)),
      vec2<u32>(0x3ec8f720u, 0x02461e29u),
    );
    let words = philox(vec4<u32>(settings.first_counter + i, 0u, seed.z, seed.w), seed.xy);
    for (var k = 0u; k < 4u && 4u * i + k < settings.count; k++) {
      values[4u * i + k] = f32(words[k] & 0x7fffffu) / 8388608.0;
    }
  }
`;
