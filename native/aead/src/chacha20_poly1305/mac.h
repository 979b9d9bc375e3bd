/*
 * Tags (RFC 8439 §2.8): Poly1305 of AAD and ciphertext, each filled up to whole blocks with zeros, and of their lengths.
 *
 * Three ways. One message per lane needs no powers of r, and is best for messages of about the same length. Neighbouring blocks of one
 * message in the lanes need r^1 to r^QUADS, and are best for what is long. One block after the other is best for what is short and alone.
 *
 * The first two work from the end: where the blocks do not fill the lanes, what is empty comes first, where it does not count: zeros added to an
 * accumulator of zero, times r, are zero.
 */
#ifndef CP_MAC_H
#define CP_MAC_H

#include "cryptoplane_aead.h"
#include "poly1305.h"
#include "poly1305_scalar.h"

/* From how many blocks on one more power of r is worth its making. */
enum { BLOCKS_FOR_TWO_POWERS = 64 };

/* Consecutive blocks. */
typedef struct {
    const uint8_t *at;
    uint32_t blocks;
} mac_piece;

/* All blocks that a tag is over: whole blocks where they lie, and those that need filling up as copies. */
typedef struct {
    mac_piece pieces[5]; /* none is empty */
    unsigned count;
    uint32_t blocks; /* of all pieces */
    uint8_t last_of_aad[POLY_BLOCK], last_of_data[POLY_BLOCK], lengths[POLY_BLOCK];
} mac_input;

CP_INLINE void mac_add_piece(mac_input *input, const uint8_t *at, uint32_t blocks) {
    if (blocks == 0)
        return;
    input->pieces[input->count++] = (mac_piece){at, blocks};
    input->blocks += blocks;
}

/* `length` bytes, filled up to whole blocks; `last` is where the last one is put if that takes zeros. */
CP_INLINE void mac_add_bytes(mac_input *input, const uint8_t *at, uint32_t length, uint8_t last[POLY_BLOCK]) {
    mac_add_piece(input, at, length / POLY_BLOCK);
    if (length % POLY_BLOCK != 0) {
        _mm_storeu_si128((__m128i *)last, load_short(at + length - length % POLY_BLOCK, length % POLY_BLOCK));
        mac_add_piece(input, last, 1);
    }
}

CP_INLINE void mac_describe(mac_input *input, const cp_aead_operation *operation, const uint8_t *ciphertext) {
    const uint8_t *aad = operation->aad_length <= CP_AEAD_INLINE_AAD ? operation->inline_aad : operation->aad;
    input->count = 0;
    input->blocks = 0;
    mac_add_bytes(input, aad, operation->aad_length, input->last_of_aad);
    mac_add_bytes(input, ciphertext, operation->length, input->last_of_data);
    _mm_storeu_si128((__m128i *)input->lengths, _mm_set_epi64x((long long)operation->length, (long long)operation->aad_length));
    mac_add_piece(input, input->lengths, 1);
}

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
                                                       const uint8_t (*keys)[POLY_KEY], unsigned count) {
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
    const poly_factor r = poly_as_factor(r_number), r_squared = poly_as_factor(poly_multiply(r_number, &r));

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
        for (uint32_t step = now % 2; step < now; step += 2) {
            poly_number first = poly_gather(lanes.at, top);
            at = vec_add(at, stride);
            vec_store(lanes.at, at);
            poly_number second = poly_gather(lanes.at, top);
            at = vec_add(at, stride);
            vec_store(lanes.at, at);
            sum = poly_multiply_two(poly_add(sum, first), &r_squared, second, &r);
        }
        if (now % 2 != 0) {
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

/* The tag of one message, QUADS neighbouring blocks at a time. */
static __attribute__((noinline)) void mac_alone(uint8_t tag[CP_AEAD_TAG_SIZE], const mac_input *input, const uint8_t *key) {
    uint64_t key_words[4];
    memcpy(key_words, key, sizeof key_words);
    poly_factor highest, squared, falling;
    poly_number highest_number = mac_powers(poly_clamp(vec_quads(key_words[0]), vec_quads(key_words[1])), &falling);
    highest = poly_as_factor(highest_number);
    const int both_powers = input->blocks >= BLOCKS_FOR_TWO_POWERS;
    if (both_powers)
        squared = poly_as_factor(poly_multiply(highest_number, &highest));

    /* Blocks that are not in a row of QUADS are put together here; the first ones are empty. */
    uint8_t together[QUADS][POLY_BLOCK];
    unsigned filled = (0u - input->blocks) % QUADS;
    memset(together, 0, filled * POLY_BLOCK);
    uint64_t tops[QUADS];
    for (unsigned i = 0; i < QUADS; i++)
        tops[(i * 2) % QUADS + i / (QUADS / 2)] = i < filled ? 0 : POLY_TOP_BIT;
    vec top = vec_load(tops);

    /* The first QUADS blocks are in `sum` at once; then it is multiplied before more are added, and at last each lane by its own power. */
    poly_number sum = poly_zero();
    const mac_piece *piece = input->pieces, *end = piece + input->count;
    for (; piece != end; piece++) {
        const uint8_t *at = piece->at;
        uint32_t left = piece->blocks;
        while (left > 0) {
            if (filled == 0 && left >= QUADS) {
                for (; left >= 2 * QUADS && both_powers; left -= 2 * QUADS, at += 2 * QUADS * POLY_BLOCK) {
                    sum = poly_multiply_two(sum, &squared, poly_load(at, top), &highest);
                    top = vec_quads(POLY_TOP_BIT);
                    sum = poly_add(sum, poly_load(at + QUADS * POLY_BLOCK, top));
                }
                for (; left >= QUADS; left -= QUADS, at += QUADS * POLY_BLOCK) {
                    sum = poly_add(poly_multiply(sum, &highest), poly_load(at, top));
                    top = vec_quads(POLY_TOP_BIT);
                }
                continue;
            }
            memcpy(together[filled++], at, POLY_BLOCK);
            at += POLY_BLOCK;
            left--;
            if (filled == QUADS) {
                sum = poly_add(poly_multiply(sum, &highest), poly_load(together[0], top));
                top = vec_quads(POLY_TOP_BIT);
                filled = 0;
            }
        }
    }
    sum = poly_multiply(sum, &falling);
#pragma GCC unroll 5
    for (int i = 0; i < 5; i++)
        sum.limb[i] = vec_sum(sum.limb[i]);

    vec low, high;
    poly_finish(sum, vec_quads(key_words[2]), vec_quads(key_words[3]), &low, &high);
#ifdef __AVX512BW__
    __m128i halves = _mm_unpacklo_epi64(_mm512_castsi512_si128(low), _mm512_castsi512_si128(high));
#else
    __m128i halves = _mm_unpacklo_epi64(_mm256_castsi256_si128(low), _mm256_castsi256_si128(high));
#endif
    _mm_storeu_si128((__m128i *)tag, halves);
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
CP_INLINE void mac_all(uint8_t (*tags)[CP_AEAD_TAG_SIZE], const mac_input *inputs, const uint8_t (*keys)[POLY_KEY], unsigned count) {
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
