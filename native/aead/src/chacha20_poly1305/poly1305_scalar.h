/*
 * Poly1305 (RFC 8439 §2.5) with 64-bit integers, one block after the other: what is fastest for a few blocks, since it needs no
 * preparation. The accumulator has two limbs of 64 bits and a third for the few bits above them.
 */
#ifndef CP_POLY1305_SCALAR_H
#define CP_POLY1305_SCALAR_H

#include "vector.h"

typedef unsigned __int128 uint128;

typedef struct {
    uint64_t limb[3];
} scalar_number;

CP_INLINE void scalar_absorb(scalar_number *h, const uint64_t r[2], const uint8_t *at, uint32_t blocks) {
    /* r[1] is a multiple of 4, so 2^130 = 5 makes of r[1]·2^128 the whole number 5/4·r[1]. */
    const uint64_t folded = r[1] + (r[1] >> 2);
    uint64_t h0 = h->limb[0], h1 = h->limb[1], h2 = h->limb[2];
    for (; blocks > 0; blocks--, at += 16) {
        uint64_t words[2];
        memcpy(words, at, sizeof words);
        uint128 sum = (uint128)h0 + words[0];
        h0 = (uint64_t)sum;
        sum = (uint128)h1 + words[1] + (uint64_t)(sum >> 64);
        h1 = (uint64_t)sum;
        h2 += (uint64_t)(sum >> 64) + 1;

        /* h2 is at most 6 and the top four bits of r are zero, so that neither sum nor product overflows. */
        uint128 low = (uint128)h0 * r[0] + (uint128)h1 * folded;
        uint128 high = (uint128)h0 * r[1] + (uint128)h1 * r[0] + h2 * folded + (uint64_t)(low >> 64);
        h2 = h2 * r[0] + (uint64_t)(high >> 64);

        /* What is above bit 130, times 5. */
        sum = (uint128)(uint64_t)low + (h2 >> 2) + (h2 & ~3ull);
        h0 = (uint64_t)sum;
        sum = (uint128)(uint64_t)high + (uint64_t)(sum >> 64);
        h1 = (uint64_t)sum;
        h2 = (h2 & 3) + (uint64_t)(sum >> 64);
    }
    *h = (scalar_number){{h0, h1, h2}};
}

/* The tag: h modulo 2^130 − 5, plus s, modulo 2^128. The subtraction is always done, and selected by a mask. */
CP_INLINE void scalar_finish(const scalar_number *h, const uint64_t s[2], uint8_t tag[16]) {
    uint64_t h0 = h->limb[0], h1 = h->limb[1];
    uint128 sum = (uint128)h0 + 5;
    uint64_t reduced0 = (uint64_t)sum;
    sum = (uint128)h1 + (uint64_t)(sum >> 64);
    uint64_t reduced1 = (uint64_t)sum;
    uint64_t mask = 0 - ((h->limb[2] + (uint64_t)(sum >> 64)) >> 2); /* all ones where h + 5 reaches 2^130 */
    h0 ^= mask & (h0 ^ reduced0);
    h1 ^= mask & (h1 ^ reduced1);
    sum = (uint128)h0 + s[0];
    uint64_t words[2] = {(uint64_t)sum, h1 + s[1] + (uint64_t)(sum >> 64)};
    memcpy(tag, words, sizeof words);
}

#endif
