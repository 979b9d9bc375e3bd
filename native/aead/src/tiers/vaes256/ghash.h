/*
 * GHASH (NIST SP 800-38D §6.4) in the representation of POLYVAL (see cp_aead_key): sums of products with powers of H, two blocks per
 * vector, reduced once.
 */
#ifndef CP_GHASH_H
#define CP_GHASH_H

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

/* Modulo x^128 + x^127 + x^126 + x^121 + 1, after Montgomery, from the low end: two foldings of 64 bits. */
CP_INLINE block reduce_parts(block low, block middle, block high) {
    const block polynomial = _mm_cvtsi64_si128((long long)0xC200000000000000ull);
    middle = _mm_xor_si128(middle, _mm_xor_si128(low, high));
    middle = _mm_xor_si128(middle, _mm_xor_si128(_mm_shuffle_epi32(low, 0x4E), _mm_clmulepi64_si128(low, polynomial, 0x00)));
    return _mm_xor_si128(high, _mm_xor_si128(_mm_shuffle_epi32(middle, 0x4E), _mm_clmulepi64_si128(middle, polynomial, 0x00)));
}

CP_INLINE block reduce(hash_sum sum) { return reduce_parts(add_lanes(sum.low), add_lanes(sum.middle), add_lanes(sum.high)); }

CP_INLINE block multiply_by_h(block x, const cp_aead_key *key) {
    const block h = load(key->hash_powers[CP_AEAD_HASH_POWERS - 1]);
    const block x_sum = _mm_xor_si128(x, _mm_unpackhi_epi64(x, x)), h_sum = _mm_xor_si128(h, _mm_unpackhi_epi64(h, h));
    return reduce_parts(_mm_clmulepi64_si128(x, h, 0x00), _mm_clmulepi64_si128(x_sum, h_sum, 0x00), _mm_clmulepi64_si128(x, h, 0x11));
}

/*
 * The AAD's part of the hash, up to its last block, which is added but not yet multiplied. Zero padding is part of GHASH; what lies behind
 * short AAD in the descriptor is not.
 */
CP_INLINE block hash_inline_aad(const cp_aead_operation *operation) {
    return reverse_bytes(keep_first(load(operation->inline_aad), operation->aad_length));
}

static __attribute__((noinline)) block hash_long_aad(const cp_aead_operation *operation) {
    const uint8_t *aad = operation->aad;
    unsigned left = operation->aad_length;
    block hash = _mm_setzero_si128();
    for (; left > 16; left -= 16, aad += 16)
        hash = multiply_by_h(_mm_xor_si128(hash, reverse_bytes(load(aad))), operation->key);
    return _mm_xor_si128(hash, reverse_bytes(load_first(aad, left)));
}

/* The last block of the hash: [bits of AAD] ‖ [bits of data]. */
CP_INLINE block lengths_block(const cp_aead_operation *operation) {
    return _mm_set_epi64x((long long)operation->aad_length * 8, (long long)operation->length * 8);
}

/* Writes a seal's tag, or compares an open's: all 128 bits at once, so that no position of a difference shows in the time. */
CP_INLINE void finish(cp_aead_operation *operation, block hash, block mask, int direction) {
    const block tag = _mm_xor_si128(reverse_bytes(hash), mask);
    operation->status = CP_AEAD_SUCCESS;
    if (direction == CP_AEAD_SEAL) {
        store(operation->destination + operation->length, tag);
        return;
    }
    const block difference = _mm_xor_si128(tag, load(operation->source + operation->length));
    if (!_mm_testz_si128(difference, difference)) {
        memset(operation->destination, 0, operation->length);
        operation->status = CP_AEAD_AUTHENTICATION_FAILED;
    }
}

#endif
