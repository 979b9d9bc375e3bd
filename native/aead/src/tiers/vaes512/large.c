/*
 * Data of more than eight groups, in passes of eight. AES of one pass is stitched with the GHASH of the pass before it, which for the
 * first pass of a packet is the last one of the packet before. The first pass takes what the others, which are whole, leave over.
 */
#include "finish.h"
#include "ghash.h"
#include "kernels.h"
#include "stack.h"

/* Where a packet has got to. */
typedef struct {
    __m512i blocks[CP_GROUPS]; /* what the pass before gave GHASH to do, reversed */
    __m512i counters;          /* of the next group; the counter itself in the machine's byte order */
    uintptr_t source, destination;
} stream;

CP_INLINE void copy_stream(stream *to, const stream *from) {
    CP_UNROLL for (int group = 0; group < CP_GROUPS; group++) to->blocks[group] = from->blocks[group];
    to->counters = from->counters;
    to->source = from->source;
    to->destination = from->destination;
}

/* A key with its parts in every lane already, for long messages. Secret. */
typedef struct {
    __m512i round_keys[15];
    __m512i factors[CP_GROUPS];       /* H^(4n) at n − 1 */
    __m512i half_sums[CP_GROUPS / 2]; /* as cp_half_sums: of pair n at n − 1 */
} spread_key;

/* Messages with as many passes as this, behind the first two, gain by a spread key. */
enum { PASSES_WORTH_SPREADING = 2 };

CP_INLINE void spread(spread_key *spread, const cp_aead_key *key, int rounds) {
    CP_UNROLL for (int round = 0; round <= rounds; round++) spread->round_keys[round] = cp_broadcast(key->round_keys[round]);
    CP_UNROLL for (int number = 1; number <= CP_GROUPS; number++) spread->factors[number - 1] = cp_factors(key, number, CP_APART);
    CP_UNROLL for (int pair = 1; pair <= CP_GROUPS / 2; pair++) spread->half_sums[pair - 1] = cp_half_sums(key, pair, CP_APART);
    /* Loads from here on, so that the compiler does not broadcast anew. */
    __asm__ volatile("" : : "r"(spread) : "memory");
}

CP_INLINE __m512i round_key(const cp_aead_key *key, const spread_key *spread, int round) {
    return spread ? spread->round_keys[round] : cp_broadcast(key->round_keys[round]);
}

/* The first counters of a packet: 1 for J0, and fewer in the empty lanes before. */
CP_INLINE __m512i first_counters(const cp_aead_operation *operation, unsigned padding) {
    const __m512i ahead = _mm512_set_epi32(4, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0);
    return _mm512_add_epi32(_mm512_or_si512(cp_nonce(operation), ahead), _mm512_maskz_set1_epi32(0x8888, -(int)padding));
}

CP_INLINE void next_counters(__m512i *states, __m512i *counters, int groups, __m512i first_key) {
    const __m512i big_endian = _mm512_broadcast_i32x4(_mm_set_epi8(12, 13, 14, 15, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    const __m512i four = _mm512_maskz_set1_epi32(0x8888, CP_LANES);
    CP_UNROLL for (int group = 0; group < groups; group++) {
        states[group] = _mm512_xor_si512(_mm512_shuffle_epi8(*counters, big_endian), first_key);
        *counters = _mm512_add_epi32(*counters, four);
    }
}

/* All rounds but the last over `groups` states, and in between the products of `hashed` blocks. */
CP_INLINE void encrypt_and_hash(__m512i *states, int groups, const cp_aead_key *key, const spread_key *spread, int rounds,
                                const __m512i *blocks, int hashed, const cp_aead_key *hash_key, cp_powers powers, cp_products *sum) {
    const int steps = (hashed + 1) / 2;
    int done = 0;
    CP_UNROLL for (int round = 1; round < rounds; round++) {
        const __m512i k = round_key(key, spread, round);
        CP_UNROLL for (int group = 0; group < groups; group++) states[group] = _mm512_aesenc_epi128(states[group], k);
        const int until = steps * round / (rounds - 1);
        CP_UNROLL for (int step = 0; step < CP_GROUPS / 2; step++) {
            if (step < done || step >= until)
                continue;
            const int first = CP_GROUPS - 2 - 2 * step;
            if (spread)
                cp_add_pair(sum, blocks[first], blocks[first + 1], spread->factors[2 * step + 1], spread->factors[2 * step],
                            spread->half_sums[step]);
            else
                cp_add_step(sum, blocks, hashed, step, hash_key, powers);
        }
        done = until;
    }
}

/* The last round over one group, whose bytes in `mask` are data. Returns the ciphertext with zeros around it. */
CP_INLINE __m512i crypt_group(stream *at, __m512i state, __m512i last_key, __mmask64 mask, int direction) {
    const __m512i input = _mm512_maskz_loadu_epi8(mask, (const void *)at->source);
    const __m512i output = _mm512_aesenclast_epi128(state, _mm512_xor_si512(last_key, input));
    _mm512_mask_storeu_epi8((void *)at->destination, mask, output);
    at->source += CP_GROUP_BYTES;
    at->destination += CP_GROUP_BYTES;
    return direction == CP_AEAD_OPEN ? input : _mm512_maskz_mov_epi8(mask, output);
}

CP_INLINE void finish_packet(cp_aead_operation *operation, cp_products sum, int direction) {
    cp_finish(operation, cp_reverse_block(cp_add_lanes(cp_reduce(sum))), direction);
}

/* The pass that begins a packet, of `groups` groups; the GHASH of the packet before it ends, if there is one. */
CP_INLINE void first_pass(stream *at, __m512i *cover, cp_aead_operation *operation, cp_aead_operation *previous, __m128i front,
                          unsigned padding, int groups, int rounds, int direction) {
    const cp_aead_key *key = operation->key;
    __m512i states[CP_GROUPS];
    at->counters = first_counters(operation, padding);
    next_counters(states, &at->counters, groups, cp_broadcast(key->round_keys[0]));
    cp_products sum = cp_begin_with(*cover);
    encrypt_and_hash(states, groups, key, NULL, rounds, at->blocks, CP_GROUPS, previous ? previous->key : key, CP_TOGETHER, &sum);
    if (previous)
        finish_packet(previous, sum, direction);

    const __m512i last_key = cp_broadcast(key->round_keys[rounds]);
    const __mmask64 front_mask = cp_front_mask(padding);
    *cover = _mm512_maskz_shuffle_epi8(front_mask, _mm512_aesenclast_epi128(states[0], last_key), cp_reversal());
    at->source = cp_first_lane(operation->source, padding);
    at->destination = cp_first_lane(operation->destination, padding);
    __m512i ciphertext = crypt_group(at, states[0], last_key, cp_first_mask(padding), direction);
    at->blocks[0] = cp_reverse(_mm512_mask_mov_epi8(ciphertext, front_mask, _mm512_broadcast_i32x4(front)));
    CP_UNROLL for (int group = 1; group < groups; group++) at->blocks[group] =
        cp_reverse(crypt_group(at, states[group], last_key, ~0ull, direction));
}

/* A pass of eight groups, with the GHASH of the `hashed` groups before them. The bytes in `mask` of its last group are data. */
CP_INLINE void next_pass(stream *at, const cp_aead_operation *operation, const spread_key *spread, int hashed, __mmask64 mask, int rounds,
                         int direction) {
    const cp_aead_key *key = operation->key;
    __m512i states[CP_GROUPS];
    next_counters(states, &at->counters, CP_GROUPS, round_key(key, spread, 0));
    cp_products sum = cp_begin_with(_mm512_setzero_si512());
    encrypt_and_hash(states, CP_GROUPS, key, spread, rounds, at->blocks, hashed, key, CP_APART, &sum);
    const __m512i hash = cp_reduce(sum), last_key = round_key(key, spread, rounds);
    CP_UNROLL for (int group = 0; group < CP_GROUPS; group++) {
        const __mmask64 data = group == CP_GROUPS - 1 ? mask : ~0ull;
        at->blocks[group] = cp_reverse(crypt_group(at, states[group], last_key, data, direction));
    }
    at->blocks[0] = _mm512_xor_si512(at->blocks[0], hash);
}

/* What stands for the block of AAD where there are more than 16 bytes: its last block, plus the hash of all before it. */
static __attribute__((noinline)) __m128i hash_long_aad(const cp_aead_operation *operation) {
    const size_t blocks = (operation->aad_length - 1u) / 16; /* all but the last, which may be partial */
    const unsigned padding = (unsigned)(-blocks % CP_LANES);
    uintptr_t at = (uintptr_t)operation->aad - 16 * padding;
    __mmask64 mask = ~0ull << (16 * padding);
    __m128i hash = _mm_setzero_si128();
    for (size_t left = (blocks + padding) / CP_LANES; left > 0; left--) {
        __m512i group = cp_reverse(_mm512_maskz_loadu_epi8(mask, (const void *)at));
        group = _mm512_xor_si512(group, _mm512_zextsi128_si512(hash));
        cp_products sum = cp_begin_with(_mm512_setzero_si512());
        cp_add_step(&sum, &group, 1, 0, operation->key, CP_TOGETHER);
        hash = cp_add_lanes(cp_reduce(sum));
        mask = ~0ull;
        at += CP_GROUP_BYTES;
    }
    const __mmask16 last = (__mmask16)_bzhi_u32(0xFFFF, (unsigned)(operation->aad_length - 16 * blocks));
    return _mm_xor_si128(cp_reverse_block(hash), _mm_maskz_loadu_epi8(last, (const void *)at));
}

/* `passes` more passes of a long message, the last of which ends with the bytes in `mask`. */
CP_INLINE void run_spread_passes(stream *at, const cp_aead_operation *operation, size_t passes, __mmask64 mask, int rounds, int direction) {
    spread_key in_lanes;
    stream in_registers;
    copy_stream(&in_registers, at);
    spread(&in_lanes, operation->key, rounds);
    while (passes > 0) {
        passes--;
        next_pass(&in_registers, operation, &in_lanes, CP_GROUPS, passes == 0 ? mask : ~0ull, rounds, direction);
    }
    copy_stream(at, &in_registers);
}

/* As run_spread_passes, with a frame of its own. */
typedef void spread_passes(stream *at, const cp_aead_operation *operation, size_t passes, __mmask64 mask);

/* The passes behind the first, in which `first` groups were. Returns whether the key was spread. */
CP_INLINE int run_passes(stream *at, const cp_aead_operation *operation, unsigned padding, size_t first, int rounds, int direction,
                         spread_passes *run_spread) {
    const size_t groups = cp_groups(operation);
    const __mmask64 last_mask = cp_last_mask(operation, padding, groups - 1);
    size_t passes = (groups - first) / CP_GROUPS;
    int key_was_spread = 0;
#define SECOND_PASS(n)                                                                                                                     \
    case n:                                                                                                                                \
        passes--;                                                                                                                          \
        next_pass(at, operation, NULL, n, passes == 0 ? last_mask : ~0ull, rounds, direction);                                             \
        break;
    switch (first) {
        SECOND_PASS(1)
        SECOND_PASS(2)
        SECOND_PASS(3)
        SECOND_PASS(4)
        SECOND_PASS(5)
        SECOND_PASS(6)
        SECOND_PASS(7)
    }
#undef SECOND_PASS
    if (passes >= PASSES_WORTH_SPREADING) {
        stream copy; /* taken apart, so that the stream itself stays in registers */
        copy_stream(&copy, at);
        run_spread(&copy, operation, passes, last_mask);
        copy_stream(at, &copy);
        key_was_spread = 1;
    } else if (passes > 0) {
        next_pass(at, operation, NULL, CP_GROUPS, last_mask, rounds, direction);
    }
    at->blocks[CP_GROUPS - 1] = _mm512_inserti32x4(at->blocks[CP_GROUPS - 1], cp_lengths(operation), CP_LANES - 1);
    return key_was_spread;
}

/* Returns whether a key was spread. */
CP_INLINE int run_large(cp_aead_operation *const *operations, size_t count, int rounds, int direction,
                        cp_vaes512_single_kernel *const *single, spread_passes *run_spread) {
    stream at;
    int key_was_spread = 0;
    __m512i cover = _mm512_setzero_si512();
    cp_aead_operation *previous = NULL;
    CP_UNROLL for (int group = 0; group < CP_GROUPS; group++) at.blocks[group] = _mm512_setzero_si512();

    for (; count > 0; operations++, count--) {
        cp_aead_operation *operation = *operations;
        const __m128i front = operation->aad_length <= CP_AEAD_INLINE_AAD ? cp_inline_aad(operation) : hash_long_aad(operation);
        const size_t groups = cp_groups(operation), first = (groups - 1) % CP_GROUPS + 1;
        const unsigned padding = cp_padding(operation);
        if (groups <= CP_GROUPS) { /* it is here for its AAD */
            single[groups](operation, front);
            continue;
        }
#define FIRST_PASS(n)                                                                                                                      \
    case n:                                                                                                                                \
        first_pass(&at, &cover, operation, previous, front, padding, n, rounds, direction);                                                \
        break;
        switch (first) {
            FIRST_PASS(1)
            FIRST_PASS(2)
            FIRST_PASS(3)
            FIRST_PASS(4)
            FIRST_PASS(5)
            FIRST_PASS(6)
            FIRST_PASS(7)
            FIRST_PASS(8)
        }
#undef FIRST_PASS
        key_was_spread |= run_passes(&at, operation, padding, first, rounds, direction, run_spread);
        previous = operation;
    }
    if (previous) {
        cp_products sum = cp_begin_with(cover);
        CP_UNROLL for (int step = 0; step < CP_GROUPS / 2; step++)
            cp_add_step(&sum, at.blocks, CP_GROUPS, step, previous->key, CP_TOGETHER);
        finish_packet(previous, sum, direction);
    }
    return key_was_spread;
}

#define KERNEL(NAME, KEY_SIZE, DIRECTION)                                                                                                  \
    static __attribute__((noinline)) void NAME##_spread(stream *at, const cp_aead_operation *operation, size_t passes, __mmask64 mask) {   \
        run_spread_passes(at, operation, passes, mask, CP_ROUNDS(KEY_SIZE), DIRECTION);                                                    \
    }                                                                                                                                      \
    static __attribute__((noinline)) int NAME(cp_aead_operation *const *operations, size_t count) {                                        \
        return run_large(operations, count, CP_ROUNDS(KEY_SIZE), DIRECTION, cp_vaes512_single[DIRECTION][KEY_SIZE], NAME##_spread);        \
    }                                                                                                                                      \
    void cp_vaes512_##NAME##_large(cp_aead_operation *const *operations, size_t count) {                                                   \
        if (NAME(operations, count))                                                                                                       \
            cp_vaes512_wipe_spread_frame();                                                                                                \
        else                                                                                                                               \
            cp_vaes512_wipe_large_frame();                                                                                                 \
    }

KERNEL(seal_128, CP_AES_128, CP_AEAD_SEAL)
KERNEL(seal_256, CP_AES_256, CP_AEAD_SEAL)
KERNEL(open_128, CP_AES_128, CP_AEAD_OPEN)
KERNEL(open_256, CP_AES_256, CP_AEAD_OPEN)
