/*
 * The tag of one message, QUADS neighbouring blocks at a time: best for what is long. The message may come in several calls.
 *
 * QUADS sums run side by side, each multiplied by r^QUADS per step, and at last by its own power of r, so that they add up to the sum of
 * Poly1305. Where the blocks do not fill the lanes, it is the first step that has empty ones, and zeros do not count there.
 */
#ifndef CP_MAC_ALONE_H
#define CP_MAC_ALONE_H

#include "mac_input.h"

/* From how many blocks on one more power of r is worth its making. */
enum { BLOCKS_FOR_TWO_POWERS = 64 };

typedef struct {
    poly_factor highest; /* r^QUADS in all lanes */
    poly_factor squared; /* r^(2·QUADS), where `has_squared` */
    poly_factor falling; /* r^QUADS … r^1, each in the lane of the block that it is for */
    poly_number sum;
    vec top;       /* for the next QUADS blocks: 0 in lanes that are empty */
    uint64_t s[2]; /* the second half of the one-time key */
    int has_squared;
    unsigned filled;                     /* blocks in `together` */
    uint8_t together[QUADS][POLY_BLOCK]; /* blocks that are not in a row of QUADS */
} mac_state;

/* r^QUADS in all lanes, and in `falling` the powers in the order of poly_load: r^(QUADS − k) in lane 2·k, r^(QUADS / 2 − k) in 2·k + 1. */
CP_INLINE poly_number mac_powers(poly_number r, poly_factor *falling) {
    const uint64_t all = ~0ull;
    const poly_factor r1 = poly_as_factor(r);
    const poly_number r2 = poly_multiply(r, &r1);
    const poly_factor r2_factor = poly_as_factor(r2);
    poly_number pairs, times;
#ifdef __AVX512BW__
    /* 2 2 1 1 2 2 1 1, times r^2: 4 4 3 3 4 4 3 3; so 4 4 3 3 2 2 1 1, times r^4: 8 8 7 7 6 6 5 5; and so 8 4 7 3 6 2 5 1. */
    const uint64_t first_of_two[8] = {all, all, 0, 0, all, all, 0, 0}, first_half[8] = {all, all, all, all};
    const uint64_t even[8] = {all, 0, all, 0, all, 0, all, 0};
    for (int i = 0; i < 5; i++)
        pairs.limb[i] = vec_select(vec_load(first_of_two), r2.limb[i], r.limb[i]);
    times = poly_multiply(pairs, &r2_factor);
    for (int i = 0; i < 5; i++) {
        pairs.limb[i] = vec_select(vec_load(first_half), times.limb[i], pairs.limb[i]);
        times.limb[i] = vec_first_quad_everywhere(times.limb[i]);
    }
    const poly_factor r4_factor = poly_as_factor(times);
    times = poly_multiply(pairs, &r4_factor);
#else
    /* 2 2 1 1, times r^2: 4 4 3 3; and so 4 2 3 1. */
    const uint64_t first_half[4] = {all, all}, even[4] = {all, 0, all, 0};
    for (int i = 0; i < 5; i++)
        pairs.limb[i] = vec_select(vec_load(first_half), r2.limb[i], r.limb[i]);
    times = poly_multiply(pairs, &r2_factor);
#endif
    for (int i = 0; i < 5; i++) {
        pairs.limb[i] = vec_select(vec_load(even), times.limb[i], pairs.limb[i]);
        times.limb[i] = vec_first_quad_everywhere(times.limb[i]);
    }
    *falling = poly_as_factor(pairs);
    return times;
}

/* Begins a message of `blocks` blocks. */
static __attribute__((noinline)) void mac_begin(mac_state *state, const uint8_t *key, uint64_t blocks) {
    uint64_t words[4];
    memcpy(words, key, sizeof words);
    poly_number highest = mac_powers(poly_clamp(vec_quads(words[0]), vec_quads(words[1])), &state->falling);
    state->highest = poly_as_factor(highest);
    state->has_squared = blocks >= BLOCKS_FOR_TWO_POWERS;
    if (state->has_squared)
        state->squared = poly_as_factor(poly_multiply(highest, &state->highest));
    state->sum = poly_zero();
    state->s[0] = words[2];
    state->s[1] = words[3];

    /* Block i of QUADS goes to the lane that poly_load puts it in. */
    state->filled = (unsigned)(-blocks % QUADS);
    uint64_t tops[QUADS];
    for (unsigned i = 0; i < QUADS; i++)
        tops[(i * 2) % QUADS + i / (QUADS / 2)] = i < state->filled ? 0 : POLY_TOP_BIT;
    state->top = vec_load(tops);
    memset(state->together, 0, sizeof state->together);
}

/* A whole number of steps, straight from where the blocks lie. Returns what is left of them. */
CP_INLINE uint32_t mac_steps(mac_state *state, const uint8_t *at, uint32_t blocks) {
    poly_number sum = state->sum;
    vec top = state->top;
    if (state->has_squared) {
        for (; blocks >= 2 * QUADS; blocks -= 2 * QUADS, at += 2 * QUADS * POLY_BLOCK) {
            sum = poly_multiply_two(sum, &state->squared, poly_load(at, top), &state->highest);
            top = vec_quads(POLY_TOP_BIT);
            sum = poly_add(sum, poly_load(at + QUADS * POLY_BLOCK, top));
        }
    }
    for (; blocks >= QUADS; blocks -= QUADS, at += QUADS * POLY_BLOCK) {
        sum = poly_add(poly_multiply(sum, &state->highest), poly_load(at, top));
        top = vec_quads(POLY_TOP_BIT);
    }
    state->sum = sum;
    state->top = top;
    return blocks;
}

static __attribute__((noinline)) void mac_absorb(mac_state *state, const uint8_t *at, uint32_t blocks) {
    while (blocks > 0) {
        if (state->filled == 0 && blocks >= QUADS) {
            uint32_t left = mac_steps(state, at, blocks);
            at += (size_t)(blocks - left) * POLY_BLOCK;
            blocks = left;
            continue;
        }
        memcpy(state->together[state->filled++], at, POLY_BLOCK);
        at += POLY_BLOCK;
        blocks--;
        if (state->filled == QUADS) {
            mac_steps(state, state->together[0], QUADS);
            state->filled = 0;
        }
    }
}

CP_INLINE void mac_absorb_input(mac_state *state, const mac_input *input) {
    for (unsigned i = 0; i < input->count; i++)
        mac_absorb(state, input->pieces[i].at, input->pieces[i].blocks);
}

static __attribute__((noinline)) void mac_end(mac_state *state, uint8_t tag[CP_AEAD_TAG_SIZE]) {
    poly_number sum = poly_multiply(state->sum, &state->falling);
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
        sum.limb[i] = vec_sum(sum.limb[i]);
    vec low, high;
    poly_finish(sum, vec_quads(state->s[0]), vec_quads(state->s[1]), &low, &high);
    _mm_storeu_si128((__m128i *)tag, vec_first_part(vec_unpack_low(low, high)));
}

#endif
