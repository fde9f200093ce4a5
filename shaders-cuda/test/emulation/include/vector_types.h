#pragma once

// CUDA's vector types, with the sizes and alignments of its vector_types.h.

#define LOCRET_VECTOR_TYPES(scalar, name, one, two, four) \
  struct alignas(one) name##1 {                           \
    scalar x;                                             \
  };                                                      \
  struct alignas(two) name##2 {                           \
    scalar x, y;                                          \
  };                                                      \
  struct name##3 {                                        \
    scalar x, y, z;                                       \
  };                                                      \
  struct alignas(four) name##4 {                          \
    scalar x, y, z, w;                                    \
  };                                                      \
  inline name##1 make_##name##1(scalar x) {               \
    return {x};                                           \
  }                                                       \
  inline name##2 make_##name##2(scalar x, scalar y) {     \
    return {x, y};                                        \
  }                                                       \
  inline name##3 make_##name##3(scalar x, scalar y, scalar z) { \
    return {x, y, z};                                     \
  }                                                       \
  inline name##4 make_##name##4(scalar x, scalar y, scalar z, scalar w) { \
    return {x, y, z, w};                                  \
  }

LOCRET_VECTOR_TYPES(signed char, char, 1, 2, 4)
LOCRET_VECTOR_TYPES(unsigned char, uchar, 1, 2, 4)
LOCRET_VECTOR_TYPES(short, short, 2, 4, 8)
LOCRET_VECTOR_TYPES(unsigned short, ushort, 2, 4, 8)
LOCRET_VECTOR_TYPES(int, int, 4, 8, 16)
LOCRET_VECTOR_TYPES(unsigned int, uint, 4, 8, 16)
LOCRET_VECTOR_TYPES(float, float, 4, 8, 16)
LOCRET_VECTOR_TYPES(long long, longlong, 8, 16, 16)
LOCRET_VECTOR_TYPES(unsigned long long, ulonglong, 8, 16, 16)
LOCRET_VECTOR_TYPES(double, double, 8, 16, 16)
#undef LOCRET_VECTOR_TYPES

struct dim3 {
  unsigned int x, y, z;
  constexpr dim3(unsigned int width = 1, unsigned int height = 1, unsigned int depth = 1)
      : x(width), y(height), z(depth) {}
};
