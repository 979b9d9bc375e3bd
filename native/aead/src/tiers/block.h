/*
 * Blocks of 16 bytes in XMM registers, for the tiers that work on one or two of them per vector: for AVX2 and, with more registers and with
 * masks, for AVX-512VL. Everything here is inlined.
 */
#ifndef CP_BLOCK_H
#define CP_BLOCK_H

#include "cryptoplane_aead.h"

#include <immintrin.h>
#include <string.h>

#define CP_INLINE static inline __attribute__((always_inline, unused))

typedef __m128i block;

CP_INLINE block load(const uint8_t *from) { return _mm_loadu_si128((const __m128i *)from); }

CP_INLINE void store(uint8_t *to, block value) { _mm_storeu_si128((__m128i *)to, value); }

CP_INLINE block xor2(block a, block b) { return _mm_xor_si128(a, b); }

CP_INLINE block xor3(block a, block b, block c) {
#ifdef __AVX512VL__
    return _mm_ternarylogic_epi64(a, b, c, 0x96);
#else
    return xor2(xor2(a, b), c);
#endif
}

/* Between the bytes of a message and the hash's representation; and between a counter block and one whose counter is an ordinary integer. */
CP_INLINE block reverse_bytes(block value) {
    return _mm_shuffle_epi8(value, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

/* The first `count` bytes (0 to 16) of a block, and zeros. */
CP_INLINE block keep_first(block value, unsigned count) {
#ifdef __AVX512VL__
    return _mm_maskz_mov_epi8((__mmask16)_bzhi_u32(0xFFFF, count), value);
#else
    const block index = _mm_set_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm_and_si128(value, _mm_cmpgt_epi8(_mm_set1_epi8((char)count), index));
#endif
}

/* 1 to 16 bytes and not one more, and zeros behind them. */
CP_INLINE block load_first(const uint8_t *from, unsigned count) {
#ifdef __AVX512VL__
    return _mm_maskz_loadu_epi8((__mmask16)_bzhi_u32(0xFFFF, count), from);
#else
    if (count == 16)
        return load(from);
    uint64_t low = 0, high = 0;
    if (count >= 8) {
        memcpy(&low, from, 8);
        memcpy(&high, from + count - 8, 8);
        /* What both have is shifted out, in two steps: 8 bytes exactly would be a shift by 64. */
        high = high >> (8 * (15 - count)) >> 8;
    } else if (count >= 4) {
        uint32_t first, last;
        memcpy(&first, from, 4);
        memcpy(&last, from + count - 4, 4);
        low = first | (uint64_t)last << (8 * (count - 4));
    } else {
        low = from[0] | (uint64_t)from[count / 2] << (8 * (count / 2)) | (uint64_t)from[count - 1] << (8 * (count - 1));
    }
    return _mm_set_epi64x((long long)high, (long long)low);
#endif
}

/* 1 to 16 bytes and not one more. */
CP_INLINE void store_first(uint8_t *to, block value, unsigned count) {
#ifdef __AVX512VL__
    _mm_mask_storeu_epi8(to, (__mmask16)_bzhi_u32(0xFFFF, count), value);
#else
    if (count == 16) {
        store(to, value);
        return;
    }
    uint64_t left = (uint64_t)_mm_cvtsi128_si64(value);
    if (count & 8) {
        memcpy(to, &left, 8);
        to += 8;
        left = (uint64_t)_mm_extract_epi64(value, 1);
    }
    if (count & 4) {
        memcpy(to, &left, 4);
        to += 4;
        left >>= 32;
    }
    if (count & 2) {
        memcpy(to, &left, 2);
        to += 2;
        left >>= 16;
    }
    if (count & 1)
        *to = (uint8_t)left;
#endif
}

/* The nonce in the high 96 bits and zero in the low 32: reversed, so that the counter is added as an integer (SP 800-38D §7.1). */
CP_INLINE block reversed_nonce(const cp_aead_operation *operation) {
    /* 16 bytes from the nonce on end with the descriptor; the shuffle drops the last four. */
    return _mm_shuffle_epi8(load(operation->nonce), _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -1, -1, -1, -1));
}

CP_INLINE block counter_block(block nonce, uint32_t counter) {
    return reverse_bytes(_mm_add_epi32(nonce, _mm_cvtsi32_si128((int)counter)));
}

#endif
