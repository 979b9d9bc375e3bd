/* Tags, in one of three ways: several messages side by side, one over all lanes, or one block after the other for what is short and alone.
 */
#ifndef CP_MAC_H
#define CP_MAC_H

#include "mac_alone.h"
#include "mac_side_by_side.h"
#include "poly1305_scalar.h"

/* The tag of one message of few blocks. */
static __attribute__((noinline)) void mac_in_order(uint8_t tag[CP_AEAD_TAG_SIZE], const mac_input *input, const uint8_t *key) {
    uint64_t words[4];
    memcpy(words, key, sizeof words);
    const uint64_t r[2] = {words[0] & POLY_CLAMP_LOW, words[1] & POLY_CLAMP_HIGH};
    scalar_number sum = {{0, 0, 0}};
    for (unsigned i = 0; i < input->count; i++)
        scalar_absorb(&sum, r, input->pieces[i].at, input->pieces[i].blocks);
    scalar_finish(&sum, words + 2, tag);
}

/* The tag of one message of more blocks. */
static __attribute__((noinline)) void mac_alone(uint8_t tag[CP_AEAD_TAG_SIZE], const mac_input *input, const uint8_t *key) {
    mac_state state;
    mac_begin(&state, key, input->blocks);
    mac_absorb_input(&state, input);
    mac_end(&state, tag);
}

/* Times in tenths of nanoseconds, as measured at 2.7 to 3 GHz; only what they are to one another counts. */
enum {
#ifdef __AVX512BW__
    TIME_SIDE_BY_SIDE = 1300,
    TIME_SIDE_BY_SIDE_BLOCK = 210,
    TIME_ALONE = 1500,
    TIME_ALONE_BLOCK = 22,
#else
    TIME_SIDE_BY_SIDE = 850,
    TIME_SIDE_BY_SIDE_BLOCK = 156,
    TIME_ALONE = 1050,
    TIME_ALONE_BLOCK = 29,
#endif
    TIME_IN_ORDER = 250,
    TIME_IN_ORDER_BLOCK = 93,
};

/* Tags of up to QUADS messages, in the way that takes least. */
CP_INLINE void mac_all(uint8_t (*tags)[CP_AEAD_TAG_SIZE], const mac_input *inputs, const uint8_t *const *keys, unsigned count) {
    uint64_t longest = 0, apart = 0;
    int in_order[QUADS];
    for (unsigned i = 0; i < count; i++) {
        uint64_t blocks = inputs[i].blocks;
        uint64_t time_in_order = TIME_IN_ORDER + blocks * TIME_IN_ORDER_BLOCK, time_alone = TIME_ALONE + blocks * TIME_ALONE_BLOCK;
        in_order[i] = time_in_order < time_alone;
        apart += in_order[i] ? time_in_order : time_alone;
        longest = longest < blocks ? blocks : longest;
    }
    if (TIME_SIDE_BY_SIDE + longest * TIME_SIDE_BY_SIDE_BLOCK <= apart) {
        mac_side_by_side(tags, inputs, keys, count);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        if (in_order[i])
            mac_in_order(tags[i], &inputs[i], keys[i]);
        else
            mac_alone(tags[i], &inputs[i], keys[i]);
    }
}

#endif
