/*
 * Poly1305 (RFC 8439 §2.5) on vectors: 8 or 4 numbers modulo 2^130 − 5 side by side, one in each 64-bit lane.
 *
 * A number is five limbs of 26 bits, number i of limb j in lane i of vector j:
 *
 *                  lane 0     lane 1     lane 2    …
 *     limb[0]      bits 0 …25 of each
 *     limb[1]      bits 26…51
 *     limb[2]      bits 52…77
 *     limb[3]      bits 78…103
 *     limb[4]      bits 104…129
 *
 * Limbs that are not fully carried are a little longer; products of 32 by 32 bits leave room for that.
 */
#ifndef CP_POLY1305_H
#define CP_POLY1305_H

#include "vector.h"

enum { POLY_BLOCK = 16, POLY_KEY = 32, LIMB_BITS = 26 };

#define LIMB_MASK ((1ull << LIMB_BITS) - 1)

/* What a whole block has above its 128 bits (RFC 8439 §2.5: "add one bit beyond the number of octets"), in limb 4. */
#define POLY_TOP_BIT (1ull << (128 - 4 * LIMB_BITS))

typedef struct {
    vec limb[5];
} poly_number;

/* A factor, and five times its limbs 1 to 4: 2^130 is 5 modulo 2^130 - 5. */
typedef struct {
    vec limb[5], five_times[5];
} poly_factor;

/* Two halves of 64 bits, and `top` above them, as limbs. */
CP_INLINE poly_number poly_split(vec low, vec high, vec top) {
    const vec mask = vec_quads(LIMB_MASK);
    poly_number n;
    n.limb[0] = vec_and(low, mask);
    n.limb[1] = vec_and(vec_shift_right(low, 26), mask);
    n.limb[2] = vec_and(vec_or(vec_shift_right(low, 52), vec_shift_left(high, 12)), mask);
    n.limb[3] = vec_and(vec_shift_right(high, 14), mask);
    n.limb[4] = vec_or(vec_shift_right(high, 40), top);
    return n;
}

/* QUADS blocks that lie one behind the other: those of the first half go to the even lanes, those of the second to the odd ones. */
CP_INLINE poly_number poly_load(const uint8_t *from, vec top) {
    vec a = vec_load(from), b = vec_load(from + VEC_BYTES);
    return poly_split(vec_unpack_low(a, b), vec_unpack_high(a, b), top);
}

/* A block from each of QUADS places, the first in lane 0. */
CP_INLINE void poly_gather_halves(const uint8_t *const from[QUADS], vec *low, vec *high) {
    vec even = vec_gather_128((const __m128i *const *)from, 2), odd = vec_gather_128((const __m128i *const *)from + 1, 2);
    *low = vec_unpack_low(even, odd);
    *high = vec_unpack_high(even, odd);
}

CP_INLINE poly_number poly_gather(const uint8_t *const from[QUADS], vec top) {
    vec low, high;
    poly_gather_halves(from, &low, &high);
    return poly_split(low, high, top);
}

CP_INLINE poly_number poly_zero(void) { return (poly_number){{vec_zero(), vec_zero(), vec_zero(), vec_zero(), vec_zero()}}; }

CP_INLINE poly_number poly_add(poly_number a, poly_number b) {
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
        a.limb[i] = vec_add(a.limb[i], b.limb[i]);
    return a;
}

CP_INLINE poly_factor poly_as_factor(poly_number n) {
    poly_factor f;
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++) {
        f.limb[i] = n.limb[i];
        f.five_times[i] = vec_add(n.limb[i], vec_shift_left(n.limb[i], 2));
    }
    return f;
}

/* Moves what is above 26 bits of limb `from` to the next one. */
CP_INLINE void poly_carry(poly_number *n, int from) {
    vec carry = vec_shift_right(n->limb[from], LIMB_BITS);
    n->limb[from] = vec_and(n->limb[from], vec_quads(LIMB_MASK));
    if (from < 4)
        n->limb[from + 1] = vec_add(n->limb[from + 1], carry);
    else
        n->limb[0] = vec_add(n->limb[0], vec_add(carry, vec_shift_left(carry, 2)));
}

/*
 * sum + a·b, with limbs as long as they come: up to 58 bits where those of `a` have up to 28, and those of `b` 26 and a little.
 *
 * Five products are added before the next five are made. The compiler would rather make all of them first, more than there are registers
 * for; so it is told after each five that it does not know the sum.
 */
CP_INLINE poly_number poly_multiply_add(poly_number sum, poly_number a, const poly_factor *b) {
#pragma GCC unroll 5
    for (int j = 0; j < 5; j++) {
#pragma GCC unroll 5
        for (int i = 0; i < 5; i++) {
            sum.limb[i] = vec_add(sum.limb[i], vec_multiply(a.limb[j], j <= i ? b->limb[i - j] : b->five_times[5 + i - j]));
            __asm__("" : "+v"(sum.limb[i]));
        }
    }
    return sum;
}

/* Limbs of 26 bits, but for limbs 1 and 4, which may have a little more. */
CP_INLINE poly_number poly_shorten(poly_number n) {
    /* Two chains side by side, from 0 and from 3. */
    poly_carry(&n, 0), poly_carry(&n, 3);
    poly_carry(&n, 1), poly_carry(&n, 4);
    poly_carry(&n, 2), poly_carry(&n, 0);
    poly_carry(&n, 3);
    return n;
}

CP_INLINE poly_number poly_multiply(poly_number a, const poly_factor *b) { return poly_shorten(poly_multiply_add(poly_zero(), a, b)); }

/* a·b + c·d: carrying is a fourth of the work, and done once here. */
CP_INLINE poly_number poly_multiply_two(poly_number a, const poly_factor *b, poly_number c, const poly_factor *d) {
    return poly_shorten(poly_multiply_add(poly_multiply_add(poly_zero(), c, d), a, b));
}

/* The bits of a one-time key's r that RFC 8439 §2.5 does not clear. */
#define POLY_CLAMP_LOW 0x0FFFFFFC0FFFFFFFull
#define POLY_CLAMP_HIGH 0x0FFFFFFC0FFFFFFCull

CP_INLINE poly_number poly_clamp(vec low, vec high) {
    return poly_split(vec_and(low, vec_quads(POLY_CLAMP_LOW)), vec_and(high, vec_quads(POLY_CLAMP_HIGH)), vec_zero());
}

/* The tag: n modulo 2^130 − 5, plus s, modulo 2^128. Constant time: the subtraction is always done, and selected by a mask. */
CP_INLINE void poly_finish(poly_number n, vec s_low, vec s_high, vec *low, vec *high) {
    /* Twice around: what comes from limb 4 to limb 0 may run through all limbs once more, and leaves limb 0 small then. */
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++)
        poly_carry(&n, 0), poly_carry(&n, 1), poly_carry(&n, 2), poly_carry(&n, 3), poly_carry(&n, 4);

    /* n + 5 has bit 130 where n is at least 2^130 − 5, and is what is wanted but for that bit then. */
    poly_number reduced = n;
    reduced.limb[0] = vec_add(reduced.limb[0], vec_quads(5));
    poly_carry(&reduced, 0), poly_carry(&reduced, 1), poly_carry(&reduced, 2), poly_carry(&reduced, 3);
    vec mask = vec_sub(vec_zero(), vec_shift_right(reduced.limb[4], LIMB_BITS));
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
        n.limb[i] = vec_select(mask, reduced.limb[i], n.limb[i]);

    *low = vec_or(vec_or(n.limb[0], vec_shift_left(n.limb[1], 26)), vec_shift_left(n.limb[2], 52));
    *high = vec_or(vec_or(vec_shift_right(n.limb[2], 12), vec_shift_left(n.limb[3], 14)), vec_shift_left(n.limb[4], 40));
    vec sum = vec_add(*low, s_low);
    /* A sum carries where both have the top bit, or one has it and the sum has not. */
    vec carry = vec_shift_right(vec_or(vec_and(*low, s_low), vec_and_not(vec_or(*low, s_low), sum)), 63);
    *low = sum;
    *high = vec_add(vec_add(*high, s_high), carry);
}

#endif
