/* Sums of products of blocks and powers of H, reduced once. */
#ifndef CP_GHASH_H
#define CP_GHASH_H

#include "../ghash_block.h"

/* The parts of Karatsuba's products: low·low, (low+high)·(low+high), high·high. */
typedef struct {
    block low, middle, high;
} hash_sum;

CP_INLINE hash_sum empty_sum(void) { return (hash_sum){_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()}; }

/* Adds x·H^power. `power` is a constant wherever speed counts. */
CP_INLINE void add_product(hash_sum *sum, block x, const cp_aead_key *key, int power) {
    const block h = load(key->hash_powers[CP_AEAD_HASH_POWERS - power]);
    const int line = (power - 1) / 8, before = 7 - (power - 1) % 8;
    const uint64_t *half_sums = line == 0 ? key->half_sums_low : key->half_sums_high[line - 1];
    const block h_sum = _mm_loadl_epi64((const __m128i *)&half_sums[2 * (before % 4) + before / 4]);
    sum->low = xor2(sum->low, _mm_clmulepi64_si128(x, h, 0x00));
    sum->high = xor2(sum->high, _mm_clmulepi64_si128(x, h, 0x11));
    sum->middle = xor2(sum->middle, _mm_clmulepi64_si128(half_sum(x), h_sum, 0x00));
}

CP_INLINE block reduce(hash_sum sum) { return reduce_parts(sum.low, sum.middle, sum.high); }

#endif
