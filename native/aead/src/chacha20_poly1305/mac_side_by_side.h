/*
 * Tags of several messages at once, one message per lane. Needs no powers of r, and is best for messages of about the same length.
 *
 * All end together; a shorter message begins later, and its lane is empty until then, which does not count: zeros added to an accumulator
 * of zero, times r, are zero.
 */
#ifndef CP_MAC_SIDE_BY_SIDE_H
#define CP_MAC_SIDE_BY_SIDE_H

#include "mac_input.h"

/* From how many blocks on r^2 is worth its making. */
enum { STEPS_FOR_TWO_POWERS = 12 };

static const uint8_t mac_nothing[POLY_BLOCK];

/* Where a lane reads its next block, and how far it goes on from there. */
typedef struct {
    const uint8_t *at[QUADS];
    uint64_t stride[QUADS]; /* 0 as long as the lane has nothing to do */
    uint64_t top[QUADS];
    uint32_t left[QUADS]; /* blocks of the present piece */
    unsigned next[QUADS]; /* the number of the piece after it */
} mac_lanes;

CP_INLINE void mac_next_piece(mac_lanes *lanes, int i, const mac_input *input) {
    const mac_piece *piece = &input->pieces[lanes->next[i]++];
    lanes->at[i] = piece->at;
    lanes->left[i] = piece->blocks;
    lanes->stride[i] = POLY_BLOCK;
    lanes->top[i] = POLY_TOP_BIT;
}

/* Tags of up to QUADS messages, one per lane. `keys`: their one-time keys of 32 bytes, r and s. */
static __attribute__((noinline)) void mac_side_by_side(uint8_t (*tags)[CP_AEAD_TAG_SIZE], const mac_input *inputs,
                                                       const uint8_t *const *keys, unsigned count) {
    const uint8_t *r_at[QUADS], *s_at[QUADS];
    uint32_t steps = 0;
    for (unsigned i = 0; i < QUADS; i++) {
        unsigned j = i < count ? i : 0;
        r_at[i] = keys[j];
        s_at[i] = keys[j] + 16;
        if (inputs[j].blocks > steps)
            steps = inputs[j].blocks;
    }
    vec low, high;
    poly_gather_halves(r_at, &low, &high);
    const poly_number r_number = poly_clamp(low, high);
    const poly_factor r = poly_as_factor(r_number);
    const int has_squared = steps >= STEPS_FOR_TWO_POWERS;
    poly_factor squared;
    if (has_squared)
        squared = poly_as_factor(poly_multiply(r_number, &r));

    mac_lanes lanes;
    for (unsigned i = 0; i < QUADS; i++) {
        lanes.at[i] = mac_nothing;
        lanes.left[i] = i < count ? steps - inputs[i].blocks : steps;
        lanes.stride[i] = lanes.top[i] = 0;
        lanes.next[i] = 0;
        if (lanes.left[i] == 0)
            mac_next_piece(&lanes, (int)i, &inputs[i]);
    }
    poly_number sum = poly_zero();
    for (;;) {
        uint32_t now = lanes.left[0];
        for (unsigned i = 1; i < QUADS; i++)
            now = lanes.left[i] < now ? lanes.left[i] : now;
        steps -= now;
        vec at = vec_load(lanes.at);
        const vec stride = vec_load(lanes.stride), top = vec_load(lanes.top);
        uint32_t step = 0;
        for (; has_squared && step + 2 <= now; step += 2) {
            poly_number first = poly_gather(lanes.at, top);
            at = vec_add(at, stride);
            vec_store(lanes.at, at);
            poly_number second = poly_gather(lanes.at, top);
            at = vec_add(at, stride);
            vec_store(lanes.at, at);
            sum = poly_multiply_two(poly_add(sum, first), &squared, second, &r);
        }
        for (; step < now; step++) {
            sum = poly_multiply(poly_add(sum, poly_gather(lanes.at, top)), &r);
            at = vec_add(at, stride);
            vec_store(lanes.at, at);
        }
        if (steps == 0)
            break;
        for (unsigned i = 0; i < QUADS; i++) {
            lanes.left[i] -= now;
            if (lanes.left[i] == 0)
                mac_next_piece(&lanes, (int)i, &inputs[i]);
        }
    }

    vec s_low, s_high;
    poly_gather_halves(s_at, &s_low, &s_high);
    poly_finish(sum, s_low, s_high, &low, &high);
    uint64_t lows[QUADS], highs[QUADS];
    vec_store(lows, low);
    vec_store(highs, high);
    for (unsigned i = 0; i < count; i++) {
        memcpy(tags[i], &lows[i], 8);
        memcpy(tags[i] + 8, &highs[i], 8);
    }
}

#endif
