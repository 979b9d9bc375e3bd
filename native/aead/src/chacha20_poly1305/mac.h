/*
 * Tags (RFC 8439 §2.8): Poly1305 of AAD and ciphertext, each filled up to whole blocks with zeros, and of their lengths.
 *
 * Two ways. One message per lane needs no powers of r, and is best for messages of about the same length. Neighbouring blocks of one
 * message in the lanes need r^1 to r^QUADS, and are best for what is long, or alone.
 *
 * Both work from the end: where the blocks do not fill the lanes, what is empty comes first, where it does not count: zeros added to an
 * accumulator of zero, times r, are zero.
 */
#ifndef CP_MAC_H
#define CP_MAC_H

#include "cryptoplane_aead.h"
#include "poly1305.h"

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
    const poly_factor r = poly_as_factor(poly_clamp(low, high));

    mac_lanes lanes;
    for (unsigned i = 0; i < QUADS; i++) {
        lanes.at[i] = mac_nothing;
        lanes.left[i] = i < count ? steps - inputs[i].blocks : steps;
        lanes.stride[i] = lanes.top[i] = 0;
        lanes.next[i] = 0;
        if (lanes.left[i] == 0)
            mac_next_piece(&lanes, (int)i, &inputs[i]);
    }
    poly_number sum = {{vec_zero(), vec_zero(), vec_zero(), vec_zero(), vec_zero()}};
    for (;;) {
        uint32_t now = lanes.left[0];
        for (unsigned i = 1; i < QUADS; i++)
            now = lanes.left[i] < now ? lanes.left[i] : now;
        steps -= now;
        vec at = vec_load(lanes.at);
        const vec stride = vec_load(lanes.stride), top = vec_load(lanes.top);
        for (uint32_t step = 0; step < now; step++) {
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

/* r^QUADS in all lanes, and the powers in the order of poly_load: in lane 2·k r^(QUADS − k), in lane 2·k + 1 r^(QUADS / 2 − k). */
CP_INLINE void mac_powers(poly_number r, poly_factor *highest, poly_factor *falling) {
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
    *highest = poly_as_factor(times);
    *falling = poly_as_factor(pairs);
}

/* The tag of one message, QUADS neighbouring blocks at a time. */
static __attribute__((noinline)) void mac_alone(uint8_t tag[CP_AEAD_TAG_SIZE], const mac_input *input, const uint8_t *key) {
    uint64_t key_words[4];
    memcpy(key_words, key, sizeof key_words);
    poly_factor highest, falling;
    mac_powers(poly_clamp(vec_quads(key_words[0]), vec_quads(key_words[1])), &highest, &falling);

    /* Blocks that are not in a row of QUADS are put together here; the first ones are empty. */
    uint8_t together[QUADS][POLY_BLOCK];
    unsigned filled = (0u - input->blocks) % QUADS;
    memset(together, 0, filled * POLY_BLOCK);
    uint64_t tops[QUADS];
    for (unsigned i = 0; i < QUADS; i++)
        tops[(i * 2) % QUADS + i / (QUADS / 2)] = i < filled ? 0 : POLY_TOP_BIT;
    vec top = vec_load(tops);

    /* The first QUADS blocks are in `sum` at once; then it is multiplied before more are added, and at last each lane by its own power. */
    poly_number sum = {{vec_zero(), vec_zero(), vec_zero(), vec_zero(), vec_zero()}};
    const mac_piece *piece = input->pieces, *end = piece + input->count;
    for (; piece != end; piece++) {
        const uint8_t *at = piece->at;
        uint32_t left = piece->blocks;
        while (left > 0) {
            if (filled == 0 && left >= QUADS) {
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

#endif
