/*
 * Two blocks of 16 bytes side by side in a YMM register, and single ones at the ends of a message. Everything here is inlined.
 */
#ifndef CP_LANES_H
#define CP_LANES_H

#include "cryptoplane_aead.h"

#include <immintrin.h>
#include <string.h>

#define CP_INLINE static inline __attribute__((always_inline, unused))

typedef __m128i block;
typedef __m256i pair;

CP_INLINE block load(const uint8_t *from) { return _mm_loadu_si128((const __m128i *)from); }
CP_INLINE void store(uint8_t *to, block value) { _mm_storeu_si128((__m128i *)to, value); }
CP_INLINE pair load_pair(const uint8_t *from) { return _mm256_loadu_si256((const __m256i *)from); }
CP_INLINE void store_pair(uint8_t *to, pair value) { _mm256_storeu_si256((__m256i *)to, value); }
CP_INLINE pair xor_pairs(pair a, pair b) { return _mm256_xor_si256(a, b); }
CP_INLINE pair join(block low, block high) { return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1); }
CP_INLINE pair twice(block value) { return _mm256_broadcastsi128_si256(value); }
CP_INLINE block low_block(pair value) { return _mm256_castsi256_si128(value); }
CP_INLINE block high_block(pair value) { return _mm256_extracti128_si256(value, 1); }

#define CP_REVERSED 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15

/* Between the bytes of a message and the hash's representation; and between a counter block and one whose counter is an ordinary integer. */
CP_INLINE block reverse_bytes(block value) { return _mm_shuffle_epi8(value, _mm_set_epi8(CP_REVERSED)); }
CP_INLINE pair reverse_pair(pair value) { return _mm256_shuffle_epi8(value, twice(_mm_set_epi8(CP_REVERSED))); }

/* The first `count` bytes (0 to 16) of a block, and zeros. */
CP_INLINE block keep_first(block value, unsigned count) {
    const block index = _mm_set_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm_and_si128(value, _mm_cmpgt_epi8(_mm_set1_epi8((char)count), index));
}

/* 1 to 16 bytes and not one more, and zeros behind them: two loads that overlap, and the shift drops what both have. */
CP_INLINE block load_first(const uint8_t *from, unsigned count) {
    if (count == 16)
        return load(from);
    uint64_t low = 0, high = 0;
    if (count >= 8) {
        memcpy(&low, from, 8);
        memcpy(&high, from + count - 8, 8);
        high = high >> (8 * (15 - count)) >> 8; /* in two steps, since 8 bytes would be a shift by 64 */
    } else if (count >= 4) {
        uint32_t first, last;
        memcpy(&first, from, 4);
        memcpy(&last, from + count - 4, 4);
        low = first | (uint64_t)last << (8 * (count - 4));
    } else {
        low = from[0] | (uint64_t)from[count / 2] << (8 * (count / 2)) | (uint64_t)from[count - 1] << (8 * (count - 1));
    }
    return _mm_set_epi64x((long long)high, (long long)low);
}

/* 1 to 16 bytes and not one more. */
CP_INLINE void store_first(uint8_t *to, block value, unsigned count) {
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
}

/* The nonce in the high 96 bits and zero in the low 32: reversed, so that the counter is added as an integer (SP 800-38D §7.1). */
CP_INLINE pair reversed_nonce(const cp_aead_operation *operation) {
    /* 16 bytes from the nonce on end with the descriptor; the shuffle drops the last four. */
    return twice(_mm_shuffle_epi8(load(operation->nonce), _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -1, -1, -1, -1)));
}

CP_INLINE pair counter_blocks(pair nonce, uint32_t low, uint32_t high) {
    return reverse_pair(_mm256_add_epi32(nonce, join(_mm_cvtsi32_si128((int)low), _mm_cvtsi32_si128((int)high))));
}

CP_INLINE pair round_key(const cp_aead_key *key, int round) { return twice(load(key->round_keys[round])); }

CP_INLINE void aes_round(pair *lanes, int count, const cp_aead_key *key, int round) {
    const pair k = round_key(key, round);
#pragma GCC unroll 9
    for (int v = 0; v < count; v++)
        lanes[v] = _mm256_aesenc_epi128(lanes[v], k);
}

#endif
