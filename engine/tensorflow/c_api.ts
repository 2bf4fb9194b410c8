/**
 * The part of TensorFlow's C API that the suite calls, as one FFI symbol table.
 *
 * Names and parameters are those of `tensorflow/c/c_api.h`, `tf_tensor.h`, `tf_tstring.h` and
 * `eager/c_api.h`; each parameter's C declaration stands behind it. Nothing is opened by importing
 * this module.
 *
 * @module
 */

/** `TF_Output`: `{ TF_Operation* oper; int index; }`, passed by value. */
const TF_Output = { struct: ["pointer", "i32"] } as const;

/** What is called of libtensorflow, as its headers declare it. */
export const symbols = {
  TF_Version: { parameters: [], result: "pointer" },

  TF_NewStatus: { parameters: [], result: "pointer" },
  TF_DeleteStatus: { parameters: ["pointer" /* TF_Status* */], result: "void" },
  TF_GetCode: { parameters: ["pointer" /* const TF_Status* s */], result: "i32" },
  TF_Message: { parameters: ["pointer" /* const TF_Status* s */], result: "pointer" },

  TF_AllocateTensor: {
    parameters: [
      "i32", /* TF_DataType */
      "buffer", /* const int64_t* dims */
      "i32", /* int num_dims */
      "usize", /* size_t len */
    ],
    result: "pointer",
  },
  TF_DeleteTensor: { parameters: ["pointer" /* TF_Tensor* */], result: "void" },
  TF_TensorData: { parameters: ["pointer" /* const TF_Tensor* */], result: "pointer" },
  TF_TensorByteSize: { parameters: ["pointer" /* const TF_Tensor* */], result: "usize" },
  TF_TensorElementCount: { parameters: ["pointer" /* const TF_Tensor* */], result: "i64" },
  TF_TensorType: { parameters: ["pointer" /* const TF_Tensor* */], result: "i32" },

  TF_StringInit: { parameters: ["pointer" /* TF_TString* t */], result: "void" },
  TF_StringCopy: {
    parameters: [
      "pointer", /* TF_TString* dst */
      "buffer", /* const char* src */
      "usize", /* size_t size */
    ],
    result: "void",
  },
  TF_StringGetDataPointer: {
    parameters: ["pointer" /* const TF_TString* tstr */],
    result: "pointer",
  },
  TF_StringGetSize: { parameters: ["pointer" /* const TF_TString* tstr */], result: "usize" },
  TF_StringDealloc: { parameters: ["pointer" /* TF_TString* tstr */], result: "void" },

  TFE_NewContextOptions: { parameters: [], result: "pointer" },
  TFE_ContextOptionsSetConfig: {
    parameters: [
      "pointer", /* TFE_ContextOptions* options */
      "buffer", /* const void* proto */
      "usize", /* size_t proto_len */
      "pointer", /* TF_Status* status */
    ],
    result: "void",
  },
  TFE_DeleteContextOptions: { parameters: ["pointer" /* TFE_ContextOptions* */], result: "void" },
  TFE_NewContext: {
    parameters: [
      "pointer", /* const TFE_ContextOptions* opts */
      "pointer", /* TF_Status* status */
    ],
    result: "pointer",
  },
  TFE_DeleteContext: { parameters: ["pointer" /* TFE_Context* ctx */], result: "void" },
  TFE_ContextListDevices: {
    parameters: [
      "pointer", /* TFE_Context* ctx */
      "pointer", /* TF_Status* status */
    ],
    result: "pointer",
  },
  TF_DeviceListCount: { parameters: ["pointer" /* const TF_DeviceList* list */], result: "i32" },
  TF_DeviceListType: {
    parameters: [
      "pointer", /* const TF_DeviceList* list */
      "i32", /* int index */
      "pointer", /* TF_Status* status */
    ],
    result: "pointer",
  },
  TF_DeviceListName: {
    parameters: [
      "pointer", /* const TF_DeviceList* list */
      "i32", /* int index */
      "pointer", /* TF_Status* status */
    ],
    result: "pointer",
  },
  TF_DeleteDeviceList: { parameters: ["pointer" /* TF_DeviceList* list */], result: "void" },

  TFE_NewTensorHandle: {
    parameters: [
      "pointer", /* const TF_Tensor* t */
      "pointer", /* TF_Status* status */
    ],
    result: "pointer",
  },
  TFE_DeleteTensorHandle: { parameters: ["pointer" /* TFE_TensorHandle* h */], result: "void" },
  TFE_TensorHandleDataType: { parameters: ["pointer" /* TFE_TensorHandle* h */], result: "i32" },
  TFE_TensorHandleNumDims: {
    parameters: [
      "pointer", /* TFE_TensorHandle* h */
      "pointer", /* TF_Status* status */
    ],
    result: "i32",
  },
  TFE_TensorHandleDim: {
    parameters: [
      "pointer", /* TFE_TensorHandle* h */
      "i32", /* int dim_index */
      "pointer", /* TF_Status* status */
    ],
    result: "i64",
  },
  TFE_TensorHandleResolve: {
    parameters: [
      "pointer", /* TFE_TensorHandle* h */
      "pointer", /* TF_Status* status */
    ],
    result: "pointer",
  },
  TFE_TensorHandleCopyToDevice: {
    parameters: [
      "pointer", /* TFE_TensorHandle* h */
      "pointer", /* TFE_Context* ctx */
      "buffer", /* const char* device_name */
      "pointer", /* TF_Status* status */
    ],
    result: "pointer",
  },

  TFE_NewOp: {
    parameters: [
      "pointer", /* TFE_Context* ctx */
      "buffer", /* const char* op_or_function_name */
      "pointer", /* TF_Status* status */
    ],
    result: "pointer",
  },
  TFE_DeleteOp: { parameters: ["pointer" /* TFE_Op* op */], result: "void" },
  TFE_OpAddInput: {
    parameters: [
      "pointer", /* TFE_Op* op */
      "pointer", /* TFE_TensorHandle* input */
      "pointer", /* TF_Status* status */
    ],
    result: "void",
  },
  TFE_OpSetAttrString: {
    parameters: [
      "pointer", /* TFE_Op* op */
      "buffer", /* const char* attr_name */
      "buffer", /* const void* value */
      "usize", /* size_t length */
    ],
    result: "void",
  },
  TFE_OpSetAttrInt: {
    parameters: [
      "pointer", /* TFE_Op* op */
      "buffer", /* const char* attr_name */
      "i64",
    ],
    result: "void",
  },
  TFE_OpSetAttrFloat: {
    parameters: [
      "pointer", /* TFE_Op* op */
      "buffer", /* const char* attr_name */
      "f32",
    ],
    result: "void",
  },
  TFE_OpSetAttrBool: {
    parameters: [
      "pointer", /* TFE_Op* op */
      "buffer", /* const char* attr_name */
      "u8",
    ],
    result: "void",
  },
  TFE_OpSetAttrType: {
    parameters: [
      "pointer", /* TFE_Op* op */
      "buffer", /* const char* attr_name */
      "i32",
    ],
    result: "void",
  },
  TFE_OpSetAttrShape: {
    parameters: [
      "pointer", /* TFE_Op* op */
      "buffer", /* const char* attr_name */
      "buffer", /* const int64_t* dims */
      "i32", /* const int num_dims */
      "pointer", /* TF_Status* out_status */
    ],
    result: "void",
  },
  TFE_OpSetAttrStringList: {
    parameters: [
      "pointer", /* TFE_Op* op */
      "buffer", /* const char* attr_name */
      "buffer", /* const void* const* values */
      "buffer", /* const size_t* lengths */
      "i32", /* int num_values */
    ],
    result: "void",
  },
  TFE_OpSetAttrIntList: {
    parameters: [
      "pointer", /* TFE_Op* op */
      "buffer", /* const char* attr_name */
      "buffer", /* const int64_t* values */
      "i32", /* int num_values */
    ],
    result: "void",
  },
  TFE_OpSetAttrFloatList: {
    parameters: [
      "pointer", /* TFE_Op* op */
      "buffer", /* const char* attr_name */
      "buffer", /* const float* values */
      "i32", /* int num_values */
    ],
    result: "void",
  },
  TFE_OpSetAttrBoolList: {
    parameters: [
      "pointer", /* TFE_Op* op */
      "buffer", /* const char* attr_name */
      "buffer", /* const unsigned char* values */
      "i32", /* int num_values */
    ],
    result: "void",
  },
  TFE_OpSetAttrTypeList: {
    parameters: [
      "pointer", /* TFE_Op* op */
      "buffer", /* const char* attr_name */
      "buffer", /* const TF_DataType* values */
      "i32", /* int num_values */
    ],
    result: "void",
  },
  TFE_OpSetAttrShapeList: {
    parameters: [
      "pointer", /* TFE_Op* op */
      "buffer", /* const char* attr_name */
      "buffer", /* const int64_t** dims */
      "buffer", /* const int* num_dims */
      "i32", /* int num_values */
      "pointer", /* TF_Status* out_status */
    ],
    result: "void",
  },
  TFE_Execute: {
    parameters: [
      "pointer", /* TFE_Op* op */
      "buffer", /* TFE_TensorHandle** retvals */
      "buffer", /* int* num_retvals */
      "pointer", /* TF_Status* status */
    ],
    result: "void",
  },
  TFE_ContextAddFunction: {
    parameters: [
      "pointer", /* TFE_Context* ctx */
      "pointer", /* TF_Function* function */
      "pointer", /* TF_Status* status */
    ],
    result: "void",
  },
  TFE_ContextRemoveFunction: {
    parameters: [
      "pointer", /* TFE_Context* ctx */
      "buffer", /* const char* name */
      "pointer", /* TF_Status* status */
    ],
    result: "void",
  },

  TF_NewGraph: { parameters: [], result: "pointer" },
  TF_DeleteGraph: { parameters: ["pointer" /* TF_Graph* */], result: "void" },
  TF_NewOperation: {
    parameters: [
      "pointer", /* TF_Graph* graph */
      "buffer", /* const char* op_type */
      "buffer", /* const char* oper_name */
    ],
    result: "pointer",
  },
  TF_AddInput: {
    parameters: [
      "pointer", /* TF_OperationDescription* desc */
      TF_Output,
    ],
    result: "void",
  },
  TF_AddInputList: {
    parameters: [
      "pointer", /* TF_OperationDescription* desc */
      "buffer", /* const TF_Output* inputs */
      "i32", /* int num_inputs */
    ],
    result: "void",
  },
  TF_AddControlInput: {
    parameters: [
      "pointer", /* TF_OperationDescription* desc */
      "pointer", /* TF_Operation* input */
    ],
    result: "void",
  },
  TF_SetAttrString: {
    parameters: [
      "pointer", /* TF_OperationDescription* desc */
      "buffer", /* const char* attr_name */
      "buffer", /* const void* value */
      "usize", /* size_t length */
    ],
    result: "void",
  },
  TF_SetAttrInt: {
    parameters: [
      "pointer", /* desc */
      "buffer", /* const char* attr_name */
      "i64",
    ],
    result: "void",
  },
  TF_SetAttrFloat: {
    parameters: [
      "pointer", /* desc */
      "buffer", /* const char* attr_name */
      "f32",
    ],
    result: "void",
  },
  TF_SetAttrBool: {
    parameters: [
      "pointer", /* desc */
      "buffer", /* const char* attr_name */
      "u8",
    ],
    result: "void",
  },
  TF_SetAttrType: {
    parameters: [
      "pointer", /* desc */
      "buffer", /* const char* attr_name */
      "i32",
    ],
    result: "void",
  },
  TF_SetAttrShape: {
    parameters: [
      "pointer", /* TF_OperationDescription* desc */
      "buffer", /* const char* attr_name */
      "buffer", /* const int64_t* dims */
      "i32", /* int num_dims */
    ],
    result: "void",
  },
  TF_SetAttrStringList: {
    parameters: [
      "pointer", /* TF_OperationDescription* desc */
      "buffer", /* const char* attr_name */
      "buffer", /* const void* const* values */
      "buffer", /* const size_t* lengths */
      "i32", /* int num_values */
    ],
    result: "void",
  },
  TF_SetAttrIntList: {
    parameters: [
      "pointer", /* TF_OperationDescription* desc */
      "buffer", /* const char* attr_name */
      "buffer", /* const int64_t* values */
      "i32", /* int num_values */
    ],
    result: "void",
  },
  TF_SetAttrFloatList: {
    parameters: [
      "pointer", /* TF_OperationDescription* desc */
      "buffer", /* const char* attr_name */
      "buffer", /* const float* values */
      "i32", /* int num_values */
    ],
    result: "void",
  },
  TF_SetAttrBoolList: {
    parameters: [
      "pointer", /* TF_OperationDescription* desc */
      "buffer", /* const char* attr_name */
      "buffer", /* const unsigned char* values */
      "i32", /* int num_values */
    ],
    result: "void",
  },
  TF_SetAttrTypeList: {
    parameters: [
      "pointer", /* TF_OperationDescription* desc */
      "buffer", /* const char* attr_name */
      "buffer", /* const TF_DataType* values */
      "i32", /* int num_values */
    ],
    result: "void",
  },
  TF_SetAttrShapeList: {
    parameters: [
      "pointer", /* TF_OperationDescription* desc */
      "buffer", /* const char* attr_name */
      "buffer", /* const int64_t* const* dims */
      "buffer", /* const int* num_dims */
      "i32", /* int num_shapes */
    ],
    result: "void",
  },
  TF_SetAttrTensor: {
    parameters: [
      "pointer", /* TF_OperationDescription* desc */
      "buffer", /* const char* attr_name */
      "pointer", /* TF_Tensor* value */
      "pointer", /* TF_Status* status */
    ],
    result: "void",
  },
  TF_FinishOperation: {
    parameters: [
      "pointer", /* TF_OperationDescription* desc */
      "pointer", /* TF_Status* status */
    ],
    result: "pointer",
  },
  TF_OperationOutputType: { parameters: [TF_Output], result: "i32" },
  TF_GraphGetTensorNumDims: {
    parameters: [
      "pointer", /* TF_Graph* graph */
      TF_Output,
      "pointer", /* TF_Status* status */
    ],
    result: "i32",
  },
  TF_GraphGetTensorShape: {
    parameters: [
      "pointer", /* TF_Graph* graph */
      TF_Output,
      "buffer", /* int64_t* dims */
      "i32", /* int num_dims */
      "pointer", /* TF_Status* status */
    ],
    result: "void",
  },
  TF_GraphGetOpDef: {
    parameters: [
      "pointer", /* TF_Graph* graph */
      "buffer", /* const char* op_name */
      "pointer", /* TF_Buffer* output_op_def */
      "pointer", /* TF_Status* status */
    ],
    result: "void",
  },
  TF_NewBuffer: { parameters: [], result: "pointer" },
  TF_DeleteBuffer: { parameters: ["pointer" /* TF_Buffer* */], result: "void" },
  TF_GraphToFunctionWithControlOutputs: {
    parameters: [
      "pointer", /* const TF_Graph* fn_body */
      "buffer", /* const char* fn_name */
      "u8", /* unsigned char append_hash_to_fn_name */
      "i32", /* int num_opers, -1 for all */
      "pointer", /* const TF_Operation* const* opers */
      "i32", /* int ninputs */
      "buffer", /* const TF_Output* inputs */
      "i32", /* int noutputs */
      "buffer", /* const TF_Output* outputs */
      "pointer", /* const char* const* output_names */
      "i32", /* int ncontrol_outputs */
      "buffer", /* const TF_Operation* const* control_outputs */
      "buffer", /* const char* const* control_output_names */
      "pointer", /* const TF_FunctionOptions* opts */
      "pointer", /* const char* description */
      "pointer", /* TF_Status* status */
    ],
    result: "pointer",
  },
  TF_DeleteFunction: { parameters: ["pointer" /* TF_Function* func */], result: "void" },
} as const satisfies Deno.ForeignLibraryInterface;

export type TensorFlowLibrary = Deno.DynamicLibrary<typeof symbols>;
