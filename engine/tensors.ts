/**
 * tfjs's types as signatures of the suite name them. What they are is documented by tfjs alone.
 *
 * @module
 */

import type * as tf from "@tensorflow/tfjs";

/**
 * What a tensor's elements are.
 *
 * @ignore
 */
export type DataType = tf.DataType;

/**
 * Tensors under their names.
 *
 * @ignore
 */
export type NamedTensorMap = tf.NamedTensorMap;

/**
 * A tensor of no dimensions.
 *
 * @ignore
 */
export type Scalar = tf.Scalar;

/**
 * A tensor of any shape.
 *
 * @ignore
 */
export type Tensor = tf.Tensor;

/**
 * A tensor of one dimension.
 *
 * @ignore
 */
export type Tensor1D = tf.Tensor1D;

/**
 * A tensor of two dimensions.
 *
 * @ignore
 */
export type Tensor2D = tf.Tensor2D;

/**
 * A tensor of three dimensions.
 *
 * @ignore
 */
export type Tensor3D = tf.Tensor3D;

/**
 * A tensor of four dimensions.
 *
 * @ignore
 */
export type Tensor4D = tf.Tensor4D;

/**
 * A tensor that is assigned to.
 *
 * @ignore
 */
export type Variable = tf.Variable;
