/*
 * Two blocks of 16 bytes side by side in a YMM register. Everything here is inlined.
 */
#ifndef CP_LANES_H
#define CP_LANES_H

#include "../block.h"

typedef __m256i pair;

CP_INLINE pair load_pair(const uint8_t *from) { return _mm256_loadu_si256((const __m256i *)from); }
CP_INLINE void store_pair(uint8_t *to, pair value) { _mm256_storeu_si256((__m256i *)to, value); }
CP_INLINE pair xor_pairs(pair a, pair b) { return _mm256_xor_si256(a, b); }
CP_INLINE pair join(block low, block high) { return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1); }
CP_INLINE pair twice(block value) { return _mm256_broadcastsi128_si256(value); }
CP_INLINE block low_block(pair value) { return _mm256_castsi256_si128(value); }
CP_INLINE block high_block(pair value) { return _mm256_extracti128_si256(value, 1); }

/* Of each block: see reverse_bytes. */
CP_INLINE pair reverse_pair(pair value) {
    return _mm256_shuffle_epi8(value, twice(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
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
