/*
 * Sums of products of blocks and powers of H, two blocks per vector, reduced once.
 */
#ifndef CP_GHASH_H
#define CP_GHASH_H

#include "../ghash_block.h"
#include "lanes.h"

/* The parts of Karatsuba's products, two lanes each: low·low, (low+high)·(low+high), high·high. */
typedef struct {
    pair low, middle, high;
} hash_sum;

CP_INLINE hash_sum empty_sum(void) { return (hash_sum){_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()}; }

/* H^power and the power below it. Behind H^1 lies another line of the key, which is for lanes that are zero. */
CP_INLINE pair powers(const cp_aead_key *key, int power) { return load_pair((const uint8_t *)key + 16 * (CP_AEAD_HASH_POWERS - power)); }

/* The XOR of each block's halves: those of `a` in the low, those of `b` in the high 64 bits of a lane. */
CP_INLINE pair half_sums(pair a, pair b) { return xor_pairs(_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b)); }

/* Adds a·ha + b·hb, lane by lane. `h_sums` is half_sums(ha, hb). */
CP_INLINE void add_products(hash_sum *sum, pair a, pair ha, pair b, pair hb, pair h_sums) {
    const pair sums = half_sums(a, b);
    sum->low = xor_pairs(sum->low, xor_pairs(_mm256_clmulepi64_epi128(a, ha, 0x00), _mm256_clmulepi64_epi128(b, hb, 0x00)));
    sum->high = xor_pairs(sum->high, xor_pairs(_mm256_clmulepi64_epi128(a, ha, 0x11), _mm256_clmulepi64_epi128(b, hb, 0x11)));
    sum->middle =
        xor_pairs(sum->middle, xor_pairs(_mm256_clmulepi64_epi128(sums, h_sums, 0x00), _mm256_clmulepi64_epi128(sums, h_sums, 0x11)));
}

CP_INLINE block add_lanes(pair value) { return _mm_xor_si128(low_block(value), high_block(value)); }

CP_INLINE block reduce(hash_sum sum) { return reduce_parts(add_lanes(sum.low), add_lanes(sum.middle), add_lanes(sum.high)); }

#endif
