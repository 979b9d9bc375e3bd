/*
 * GHASH (NIST SP 800-38D §6.4) of groups of four blocks.
 *
 * The hash of G groups is the sum over all blocks of block · H^(blocks that follow, and itself). Group g of G counts as number
 * n = G − g, so that its lanes want H^(4n), H^(4n−1), H^(4n−2), H^(4n−3): one aligned load from the key. Or the same H^(4n) for every
 * lane (CP_APART), where the sum is added to a group that follows n groups later: lanes stay apart until the last groups.
 *
 * Products are Karatsuba's, three carry-less multiplications each, reduced together at the end.
 */
#ifndef CP_VAES512_GHASH_H
#define CP_VAES512_GHASH_H

#include "lanes.h"

/* A sum of products not yet reduced, lane by lane: of low halves, of high halves, and of half sums. */
typedef struct {
    __m512i low, middle, high;
} cp_products;

/*
 * A sum that begins with `blocks` as if they had been multiplied already: 0, or an encrypted J0, which the tag is the hash plus. The
 * middle has them too, since reduction adds the high part to it.
 */
CP_INLINE cp_products cp_begin_with(__m512i blocks) { return (cp_products){_mm512_setzero_si512(), blocks, blocks}; }

/* Which powers the lanes of a group are multiplied by. */
typedef enum { CP_TOGETHER, CP_APART } cp_powers;

/* The factors of group number `number`. */
CP_INLINE __m512i cp_factors(const cp_aead_key *key, int number, cp_powers powers) {
    const void *at = key->hash_powers[CP_AEAD_HASH_POWERS - CP_LANES * number];
    return powers == CP_TOGETHER ? _mm512_load_si512(at) : cp_broadcast(at);
}

/* The half sums of the factors of groups 2 · pair (low halves of the lanes) and 2 · pair − 1 (high halves). */
CP_INLINE __m512i cp_half_sums(const cp_aead_key *key, int pair, cp_powers powers) {
    const void *at = pair == 1 ? key->half_sums_low : key->half_sums_high[pair - 2];
    return powers == CP_TOGETHER ? _mm512_load_si512(at) : cp_broadcast(at);
}

/* Adds products of a pair of groups, whose half sums share a vector: [first's, second's] in each lane. */
CP_INLINE void cp_add_pair(cp_products *sum, __m512i first, __m512i second, __m512i first_factors, __m512i second_factors,
                           __m512i half_sums) {
    __m512i halves = _mm512_xor_si512(_mm512_unpacklo_epi64(first, second), _mm512_unpackhi_epi64(first, second));
    sum->low =
        cp_xor3(sum->low, _mm512_clmulepi64_epi128(first, first_factors, 0x00), _mm512_clmulepi64_epi128(second, second_factors, 0x00));
    sum->high =
        cp_xor3(sum->high, _mm512_clmulepi64_epi128(first, first_factors, 0x11), _mm512_clmulepi64_epi128(second, second_factors, 0x11));
    sum->middle =
        cp_xor3(sum->middle, _mm512_clmulepi64_epi128(halves, half_sums, 0x00), _mm512_clmulepi64_epi128(halves, half_sums, 0x11));
}

/* Adds products of the group that is left over in front of the pairs: its half sums are the high halves of `half_sums`. */
CP_INLINE void cp_add_single(cp_products *sum, __m512i group, __m512i factors, __m512i half_sums) {
    __m512i halves = _mm512_xor_si512(group, _mm512_shuffle_epi32(group, _MM_PERM_BADC));
    sum->low = _mm512_xor_si512(sum->low, _mm512_clmulepi64_epi128(group, factors, 0x00));
    sum->high = _mm512_xor_si512(sum->high, _mm512_clmulepi64_epi128(group, factors, 0x11));
    sum->middle = _mm512_xor_si512(sum->middle, _mm512_clmulepi64_epi128(halves, half_sums, 0x11));
}

/* `count` groups are multiplied in (count + 1) / 2 steps, the last pair first and what is left over last. */
CP_INLINE void cp_add_step(cp_products *sum, const __m512i *groups, int count, int step, const cp_aead_key *key, cp_powers powers) {
    const int pair = step + 1, first = count - 2 * pair; /* index of group number 2 · pair */
    __m512i half_sums = cp_half_sums(key, pair, powers);
    __m512i second_factors = cp_factors(key, 2 * pair - 1, powers);
    if (first >= 0)
        cp_add_pair(sum, groups[first], groups[first + 1], cp_factors(key, 2 * pair, powers), second_factors, half_sums);
    else
        cp_add_single(sum, groups[first + 1], second_factors, half_sums);
}

/* The products modulo the polynomial, lane by lane: Montgomery's reduction from the low end, as in key.c. */
CP_INLINE __m512i cp_reduce(cp_products sum) {
    const __m512i polynomial = _mm512_broadcast_i32x4(_mm_set_epi64x((long long)0xC200000000000000ull, 0));
    __m512i middle = cp_xor3(sum.middle, sum.low, sum.high);
    __m512i quotient = _mm512_clmulepi64_epi128(polynomial, sum.low, 0x01);
    middle = cp_xor3(middle, _mm512_shuffle_epi32(sum.low, _MM_PERM_BADC), quotient);
    quotient = _mm512_clmulepi64_epi128(polynomial, middle, 0x01);
    return cp_xor3(sum.high, _mm512_shuffle_epi32(middle, _MM_PERM_BADC), quotient);
}

/* The sum of the four lanes. */
CP_INLINE __m128i cp_add_lanes(__m512i v) {
    __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
    return _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/* [a0 + a2, a1 + a3, b0 + b2, b1 + b3] */
CP_INLINE __m512i cp_add_halves(__m512i a, __m512i b) {
    return _mm512_xor_si512(_mm512_shuffle_i64x2(a, b, 0x44), _mm512_shuffle_i64x2(a, b, 0xEE));
}

/* The sums of the lanes of four vectors, as the lanes of one. */
CP_INLINE __m512i cp_add_lanes_of_4(__m512i a, __m512i b, __m512i c, __m512i d) {
    __m512i ab = cp_add_halves(a, b), cd = cp_add_halves(c, d);
    return _mm512_xor_si512(_mm512_shuffle_i64x2(ab, cd, 0x88), _mm512_shuffle_i64x2(ab, cd, 0xDD));
}

CP_INLINE cp_products cp_add_lanes_of_products(const cp_products *p) {
    return (cp_products){
        cp_add_lanes_of_4(p[0].low, p[1].low, p[2].low, p[3].low),
        cp_add_lanes_of_4(p[0].middle, p[1].middle, p[2].middle, p[3].middle),
        cp_add_lanes_of_4(p[0].high, p[1].high, p[2].high, p[3].high),
    };
}

#endif
