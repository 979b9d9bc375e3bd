/*
 * VAES and VPCLMULQDQ put together from their 128-bit forms, for CPUs that have not got them: included ahead of every source of the
 * emulated library (CMake option CP_EMULATE_VAES), which is for tests only. Everything else of a kernel (lanes, masks, order of the
 * powers, control flow) runs as it is.
 */
#ifndef CP_EMULATED_VAES_H
#define CP_EMULATED_VAES_H
#ifdef __AVX2__

#include <immintrin.h>

static inline __attribute__((always_inline, unused)) __m256i cp_join(__m128i low, __m128i high) {
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

#define CP_LOW256(v) _mm256_castsi256_si128(v)
#define CP_HIGH256(v) _mm256_extracti128_si256(v, 1)

static inline __attribute__((always_inline, unused)) __m256i cp_emulated_aesenc256(__m256i x, __m256i k) {
    return cp_join(_mm_aesenc_si128(CP_LOW256(x), CP_LOW256(k)), _mm_aesenc_si128(CP_HIGH256(x), CP_HIGH256(k)));
}

static inline __attribute__((always_inline, unused)) __m256i cp_emulated_aesenclast256(__m256i x, __m256i k) {
    return cp_join(_mm_aesenclast_si128(CP_LOW256(x), CP_LOW256(k)), _mm_aesenclast_si128(CP_HIGH256(x), CP_HIGH256(k)));
}

/* Statement expressions, since the selector must stay a constant. */
#define cp_emulated_clmul256(a, b, selector)                                                                                               \
    __extension__({                                                                                                                        \
        __m256i a256_ = (a), b256_ = (b);                                                                                                  \
        cp_join(_mm_clmulepi64_si128(CP_LOW256(a256_), CP_LOW256(b256_), selector),                                                        \
                _mm_clmulepi64_si128(CP_HIGH256(a256_), CP_HIGH256(b256_), selector));                                                     \
    })

#define _mm256_aesenc_epi128 cp_emulated_aesenc256
#define _mm256_aesenclast_epi128 cp_emulated_aesenclast256
#define _mm256_clmulepi64_epi128 cp_emulated_clmul256

#ifdef __AVX512F__

static inline __attribute__((always_inline, unused)) __m512i cp_join512(__m256i low, __m256i high) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

#define CP_LOW512(v) _mm512_castsi512_si256(v)
#define CP_HIGH512(v) _mm512_extracti64x4_epi64(v, 1)

/* Called, not inlined: the kernels are straight-line code of so many of these that compiling them would take minutes. */
static __attribute__((noinline, unused)) __m512i cp_emulated_aesenc512(__m512i x, __m512i k) {
    return cp_join512(cp_emulated_aesenc256(CP_LOW512(x), CP_LOW512(k)), cp_emulated_aesenc256(CP_HIGH512(x), CP_HIGH512(k)));
}

static __attribute__((noinline, unused)) __m512i cp_emulated_aesenclast512(__m512i x, __m512i k) {
    return cp_join512(cp_emulated_aesenclast256(CP_LOW512(x), CP_LOW512(k)), cp_emulated_aesenclast256(CP_HIGH512(x), CP_HIGH512(k)));
}

#define CP_CLMUL512(a, b, selector)                                                                                                        \
    cp_join512(cp_emulated_clmul256(CP_LOW512(a), CP_LOW512(b), selector), cp_emulated_clmul256(CP_HIGH512(a), CP_HIGH512(b), selector))

static __attribute__((noinline, unused)) __m512i cp_emulated_clmul512(__m512i a, __m512i b, int selector) {
    switch (selector) {
    case 0x00:
        return CP_CLMUL512(a, b, 0x00);
    case 0x01:
        return CP_CLMUL512(a, b, 0x01);
    case 0x10:
        return CP_CLMUL512(a, b, 0x10);
    default:
        return CP_CLMUL512(a, b, 0x11);
    }
}

#define _mm512_aesenc_epi128 cp_emulated_aesenc512
#define _mm512_aesenclast_epi128 cp_emulated_aesenclast512
#define _mm512_clmulepi64_epi128 cp_emulated_clmul512

#endif
#endif
#endif
