#pragma once

/*
 * Locret's CUDA engine behind plain C: a decoder of the llama family with its retained cache on one GPU. It needs the
 * driver only; opened without a GPU it says so. Every function that can fail returns LOCRET_OK or LOCRET_FAILED, and the
 * word and the text of the last failure of a thread are kept. An engine is used by one thread at a time, and every call
 * returns when the device is done with it. Memory given in stays the caller's.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define LOCRET_API __declspec(dllexport)
#else
#define LOCRET_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Changes whenever the same weights and tokens may give other numbers than before. */
#define LOCRET_CUDA_NUMERICS 2

typedef struct LocretEngine LocretEngine;

/** Outcomes; of a failure locretErrorCode and locretErrorText tell. */
typedef enum LocretStatus {
  LOCRET_OK = 0,
  LOCRET_FAILED = 1,
} LocretStatus;

/** The word of the thread's last failure: `out-of-memory`, `invalid-argument`, `model-corrupt`, `engine-failed`, … */
LOCRET_API const char* locretErrorCode(void);
/** What failed, the value, what was expected and what to do. */
LOCRET_API const char* locretErrorText(void);

typedef struct LocretDevice {
  char name[256];
  int32_t computeMajor;
  int32_t computeMinor;
  int32_t multiprocessors;
  /** 1: this library has code for it. */
  int32_t supported;
  uint64_t totalBytes;
  /** Free once the driver's own share is taken. */
  uint64_t freeBytes;
} LocretDevice;

typedef struct LocretDriver {
  /** As CUDA counts: 1000 · major + 10 · minor; 0 without a driver. */
  int32_t driverVersion;
  /** What this library was built with. */
  int32_t runtimeVersion;
  /** Why no device can be used; empty otherwise. */
  char problem[256];
} LocretDriver;

/**
 * Lists the GPUs of this machine. That there is none, or no driver, is no failure: `count` is 0 and the driver's
 * `problem` says why.
 * @param devices room for `capacity` of them
 * @param count of devices that there are
 */
LOCRET_API LocretStatus locretDevices(LocretDevice* devices, int32_t capacity, int32_t* count, LocretDriver* driver);

/** How numbers lie in memory: the values of locret::NumberFormat. */
enum { LOCRET_FLOAT32 = 0, LOCRET_BFLOAT16 = 1, LOCRET_FLOAT16 = 2, LOCRET_INT8 = 3, LOCRET_INT4 = 4 };

/** Which cache units stay. */
enum { LOCRET_POLICY_LOCRET = 0, LOCRET_POLICY_KEY_DIFFERENCE = 1, LOCRET_POLICY_SINK_RECENT = 2 };

/** What retaining heads read: the values of locret::HeadInput. */
enum { LOCRET_HEAD_INPUT_QUERY_KEY_VALUE = 0, LOCRET_HEAD_INPUT_HIDDEN = 1 };

/**
 * The fields of a LocretConfig: whole numbers, real ones, and truths, which are 1 or 0. Whoever fills one from fields of
 * another language goes by this list.
 */
#define LOCRET_CONFIG_FIELDS(INTEGER, REAL, TRUTH)                                                 \
  INTEGER(layers)                                                                                  \
  INTEGER(hidden)                                                                                  \
  INTEGER(heads)                                                                                   \
  INTEGER(kvHeads)                                                                                 \
  INTEGER(headDim)                                                                                 \
  INTEGER(feedForward)                                                                             \
  INTEGER(vocabulary)                                                                              \
  INTEGER(rotaryDim)                                                                               \
  /* Slots that attention reaches back; 0: all. */                                                 \
  INTEGER(slidingWindow)                                                                           \
  REAL(normEpsilon)                                                                                \
  TRUTH(tiedEmbeddings)                                                                            \
  TRUTH(queryKeyValueBias)                                                                         \
  TRUTH(outputBias)                                                                                \
  TRUTH(feedForwardBias)                                                                           \
  TRUTH(queryKeyNorm)                                                                              \
  /* Width of the retaining heads (d_R); 0 without. */                                             \
  INTEGER(headWidth)                                                                               \
  /* What they read; without heads of no meaning. */                                               \
  INTEGER(headInput)                                                                               \
  INTEGER(policy)                                                                                  \
  /* Of the matrices: any format. The activations follow: bfloat16 beside int8 and int4. */        \
  INTEGER(weightFormat)                                                                            \
  /* Of keys and values: any format; what is not quantized must be the activations'. */            \
  INTEGER(cacheFormat)                                                                             \
  /* Units every KV head keeps after an eviction; 0: nothing is ever evicted. */                   \
  INTEGER(budget)                                                                                  \
  INTEGER(chunk)                                                                                   \
  INTEGER(stabilizers)                                                                             \
  INTEGER(pinned)                                                                                  \
  INTEGER(capacity)

/** Everything that is fixed while an engine lives. */
typedef struct LocretConfig {
#define LOCRET_INTEGER(name) int32_t name;
#define LOCRET_REAL(name) float name;
  LOCRET_CONFIG_FIELDS(LOCRET_INTEGER, LOCRET_REAL, LOCRET_INTEGER)
#undef LOCRET_INTEGER
#undef LOCRET_REAL
} LocretConfig;

/** Bytes of device memory by what they are for. */
typedef struct LocretPlan {
  uint64_t weightBytes;
  uint64_t headBytes;
  uint64_t cacheBytes;
  /** Rotated keys of one layer, and the table of rotations. */
  uint64_t stagingBytes;
  /** Intermediate values of a pass, ranks and choices of an eviction. */
  uint64_t workspaceBytes;
  uint64_t logitBytes;
  /** Only while weights are loaded. */
  uint64_t loadingBytes;
  /** Of one unit of one KV head: keys, values and what quantization needs; without its share of a layer's table. */
  uint64_t unitBytes;
  /** What quantization keeps per layer. */
  uint64_t layerTableBytes;
  uint64_t totalBytes;
} LocretPlan;

/**
 * What an engine of this configuration will take. No device is needed.
 * Fails with model-unsupported or invalid-argument when it is not run here.
 */
LOCRET_API LocretStatus locretPlan(const LocretConfig* config, LocretPlan* plan);

/**
 * Takes the device memory of the plan.
 * @param cosine float32 `[capacity, rotaryDim / 2]` of every slot, already multiplied by the attention factor
 * @param device index in the list of devices
 */
LOCRET_API LocretStatus locretOpen(const LocretConfig* config, const float* cosine, const float* sine, int32_t device,
                                   LocretEngine** engine);
/** Returns all device memory. Null does nothing. */
LOCRET_API void locretClose(LocretEngine* engine);

/** The tensors of a model. Of `queryKeyValue` the rows are q, k, v; of `gateUp` gate, up. */
typedef enum LocretTensor {
  LOCRET_EMBEDDING = 0,
  LOCRET_LANGUAGE_HEAD = 1,
  LOCRET_FINAL_NORM = 2,
  LOCRET_NORM_BEFORE_ATTENTION = 3,
  LOCRET_NORM_BEFORE_FEED_FORWARD = 4,
  LOCRET_QUERY_NORM = 5,
  LOCRET_KEY_NORM = 6,
  LOCRET_QUERY_KEY_VALUE = 7,
  LOCRET_QUERY_KEY_VALUE_BIAS = 8,
  LOCRET_ATTENTION_OUTPUT = 9,
  LOCRET_ATTENTION_OUTPUT_BIAS = 10,
  LOCRET_GATE_UP = 11,
  LOCRET_GATE_UP_BIAS = 12,
  LOCRET_DOWN = 13,
  LOCRET_DOWN_BIAS = 14,
  LOCRET_HEAD_FIRST = 15,
  LOCRET_HEAD_SECOND = 16,
} LocretTensor;

/** Some rows of a tensor. A vector (norm, bias) is one column of float32. */
typedef struct LocretPiece {
  LocretTensor tensor;
  /** Ignored where a tensor belongs to no layer. */
  int32_t layer;
  int32_t firstRow;
  int32_t rows;
  int32_t columns;
  /** float32, bfloat16 or float16. */
  int32_t format;
  const void* values;
  uint64_t bytes;
} LocretPiece;

/** Most bytes of a piece: larger tensors come in several, rows ascending. */
#define LOCRET_LARGEST_PIECE (32u << 20)

/** Packs rows on the device in the format of the configuration. */
LOCRET_API LocretStatus locretLoad(LocretEngine* engine, const LocretPiece* piece);
/** Says that all is loaded. Fails with model-corrupt naming a tensor whose rows did not all come. */
LOCRET_API LocretStatus locretReady(LocretEngine* engine);

/** Where the cache stands. A mark is what this was. */
typedef struct LocretState {
  /** Units per KV head. */
  int32_t length;
  int32_t nextTokenIndex;
  /** Times that units left other than by a rewind. */
  int32_t evictions;
  /** 1: there are logits to continue from. */
  int32_t hasLogits;
} LocretState;

LOCRET_API LocretStatus locretState(LocretEngine* engine, LocretState* state);

enum { LOCRET_EVICT_NONE = 0, LOCRET_EVICT_BETWEEN_CHUNKS = 1, LOCRET_EVICT_FINAL = 2 };
enum { LOCRET_LOGITS_NONE = 0, LOCRET_LOGITS_LAST = 1, LOCRET_LOGITS_ALL = 2 };

/** What an eviction went by, for traces; arrays of the caller. L: layers, H: KV heads, n: units before the eviction. */
typedef struct LocretDecision {
  /** float32 `[L, H, n]` */
  float* ranks;
  /** Raw scores of the pass's tokens, float32 `[L, H, count]`; null without retaining heads. */
  float* scores;
  /** `[L, H, n]` */
  int32_t* tokenIndices;
  /** Ascending slots `[L, H, kept units]`. */
  int32_t* kept;
} LocretDecision;

/** One pass: tokens behind the cache, then an eviction. */
typedef struct LocretPass {
  const int32_t* tokens;
  /** 1 to `chunk`. */
  int32_t count;
  /** Token index of the first one; not below the state's. */
  int32_t firstTokenIndex;
  /** After the pass, when more than `budget` units are there. With FINAL nothing but the pinned units is exempt. */
  int32_t eviction;
  /** With NONE there is nothing to continue from afterwards. */
  int32_t logits;
  /** float32 `[1 or count, vocabulary]`, or null with NONE. */
  float* logitRows;
  /** First token whose attention is observed (locretObserved); `count`: none. */
  int32_t observeFrom;
  /** What is added to each token's scores by the retaining heads, float32 `[count]`; null: nothing. */
  const float* bonuses;
  /** Null: not wanted. */
  const LocretDecision* decision;
} LocretPass;

typedef struct LocretPassTimes {
  double modelMilliseconds;
  /** Part of it: the retaining heads. */
  double scoringMilliseconds;
  double evictionMilliseconds;
} LocretPassTimes;

/** Runs a pass. Fails with invalid-argument when the capacity does not suffice, model-corrupt when a rank is NaN. */
LOCRET_API LocretStatus locretPass(LocretEngine* engine, const LocretPass* pass, LocretPassTimes* times);

/**
 * Appends one token to a cache that is not empty, without eviction; its logits stay on the device. One CUDA graph
 * serves every step.
 */
LOCRET_API LocretStatus locretStep(LocretEngine* engine, int32_t token, int32_t observe);

/** Copies the last logits, float32 `[vocabulary]`. */
LOCRET_API LocretStatus locretLastLogits(LocretEngine* engine, float* logits);
/** The token with the highest last logit, the lowest of equals. Fails with model-corrupt when it is not finite. */
LOCRET_API LocretStatus locretLikeliest(LocretEngine* engine, int32_t* token);

/**
 * Observed attention is added up from here on. What takes tokens back (a rewind, an emptied or a restored cache) begins
 * anew.
 * @param reach only units below this slot count, and share each query's mass; 0: all that a query sees
 */
LOCRET_API LocretStatus locretStartObserving(LocretEngine* engine, int32_t reach);
/**
 * The attention since then, summed over layers, query heads and observed tokens.
 * @param mass float64 per token index, `[state.nextTokenIndex]`
 * @param queries how many tokens were observed
 */
LOCRET_API LocretStatus locretObserved(LocretEngine* engine, double* mass, int32_t* queries);

/** Takes back what was appended since the mark; fails with invalid-argument when units left the cache since. */
LOCRET_API LocretStatus locretRewind(LocretEngine* engine, const LocretState* mark);
/** Empties the cache. */
LOCRET_API LocretStatus locretClear(LocretEngine* engine);
/**
 * Drops the units of tokens in half-open ranges; see Engine.forget in server/engine/engine.ts.
 * @param ranges begin and end of each, `2 * count` numbers
 * @param dropped units that each KV head gave up
 */
LOCRET_API LocretStatus locretForget(LocretEngine* engine, const int32_t* ranges, int32_t count, int32_t* dropped);

/** One layer of the cache as it lies on the device, units of each KV head in a row. */
typedef struct LocretLayer {
  /** `kvHeads * length * unitBytes + layerTableBytes` of the plan. */
  void* units;
  /** float32 `[kvHeads, length]`; null without retaining heads. */
  float* scores;
  /** `[kvHeads, length]` */
  int32_t* tokenIndices;
} LocretLayer;

/** Copies a layer out. */
LOCRET_API LocretStatus locretExport(LocretEngine* engine, int32_t layer, const LocretLayer* target);
/** Copies a layer of `length` units in, the same bits. What was in the cache is gone; it is empty until locretResume. */
LOCRET_API LocretStatus locretImport(LocretEngine* engine, int32_t layer, int32_t length, const LocretLayer* source);
/** Makes all imported layers count. */
LOCRET_API LocretStatus locretResume(LocretEngine* engine, int32_t length, int32_t nextTokenIndex);
/** The token indices of all units, `[layers, kvHeads, length]`. */
LOCRET_API LocretStatus locretTokenIndices(LocretEngine* engine, int32_t* tokenIndices);

typedef struct LocretMemory {
  /** Device memory that all engines of this process hold now, and held at most, as counted by its allocator. */
  uint64_t allocatedBytes;
  uint64_t peakBytes;
} LocretMemory;

LOCRET_API LocretStatus locretMemory(LocretMemory* memory);

#ifdef __cplusplus
}
#endif
