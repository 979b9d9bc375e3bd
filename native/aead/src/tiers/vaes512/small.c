/*
 * Packets of up to eight groups (30 blocks of data): as many side by side as fill eight vectors, each with its own key. The GHASH of
 * what one pass encrypted is computed between the AES rounds of the next pass.
 *
 * Every function is inlined with constants for the number of groups, packets and rounds: what looks like loops and arrays is
 * straight-line code and registers.
 */
#include "finish.h"
#include "ghash.h"
#include "kernels.h"

/* Packets that are encrypted, or decrypted, and whose tags are still to be computed. */
typedef struct {
    cp_aead_operation *operations[CP_GROUPS];
    __m512i blocks[CP_GROUPS]; /* GHASH's, reversed: the groups of the first packet, then those of the second, and so on */
    __m512i covers[CP_GROUPS]; /* per packet: the encrypted J0, reversed, in the lane it came from and zeros around it */
} pending_packets;

/* Counter blocks without nonces, for paddings from 3 down to 0: entry 3 is for the first counter, 1, and up to three empty lanes before. */
#define COUNTERS(i)                                                                                                                        \
    {0, 0, 0, (uint32_t)(i) << 24}, {0, 0, 0, (uint32_t)((i) + 1) << 24}, {0, 0, 0, (uint32_t)((i) + 2) << 24}, {                          \
        0, 0, 0, (uint32_t)((i) + 3) << 24                                                                                                 \
    }
static const uint32_t counters[3 + CP_LANES * CP_GROUPS + 1][4] = {
    {0}, {0}, {0}, COUNTERS(1), COUNTERS(5), COUNTERS(9), COUNTERS(13), COUNTERS(17), COUNTERS(21), COUNTERS(25), COUNTERS(29),
};

/* The counter blocks of a packet, with the first round key. */
CP_INLINE void begin_packet(__m512i *states, const cp_aead_operation *operation, int groups) {
    const __m512i nonce = cp_nonce(operation), key = cp_broadcast(operation->key->round_keys[0]);
    const uint32_t(*counter)[4] = counters + 3 - cp_padding(operation);
    CP_UNROLL for (int group = 0; group < groups; group++) states[group] =
        cp_xor3(nonce, _mm512_loadu_si512(counter[CP_LANES * group]), key);
}

/* The tags of one, two or four packets from their products. */
CP_INLINE void finish_packets(cp_aead_operation *const *operations, const cp_products *products, int packets, int direction) {
    if (packets == 1) {
        cp_finish(operations[0], cp_reverse_block(cp_add_lanes(cp_reduce(products[0]))), direction);
    } else if (packets == 2) {
        __m512i hashes = cp_add_halves(cp_reduce(products[0]), cp_reduce(products[1]));
        hashes = cp_reverse(_mm512_xor_si512(hashes, _mm512_shuffle_i64x2(hashes, hashes, 0xB1)));
        cp_finish(operations[0], _mm512_castsi512_si128(hashes), direction);
        cp_finish(operations[1], _mm512_extracti32x4_epi32(hashes, 2), direction);
    } else {
        __m512i hashes = cp_reverse(cp_reduce(cp_add_lanes_of_products(products)));
        cp_finish(operations[0], _mm512_castsi512_si128(hashes), direction);
        cp_finish(operations[1], _mm512_extracti32x4_epi32(hashes, 1), direction);
        cp_finish(operations[2], _mm512_extracti32x4_epi32(hashes, 2), direction);
        cp_finish(operations[3], _mm512_extracti32x4_epi32(hashes, 3), direction);
    }
}

/* One step of the pending packets' GHASH. Up to four packets finish together, as soon as their last step is done. */
CP_INLINE void hash_step(const pending_packets *pending, cp_products *products, int groups, int packets, int step, int direction) {
    const int steps = (groups + 1) / 2, packet = step / steps, together = packets < 4 ? packets : 4;
    if (step % steps == 0)
        products[packet] = cp_begin_with(pending->covers[packet]);
    cp_add_step(&products[packet], pending->blocks + packet * groups, groups, step % steps, pending->operations[packet]->key, CP_TOGETHER);
    if ((step + 1) % (steps * together) == 0)
        finish_packets(pending->operations + packet + 1 - together, products + packet + 1 - together, together, direction);
}

/* All rounds but the last, over the packets of a pass; and, where `hash` says so, the GHASH and the tags of those pending. */
CP_INLINE void encrypt_and_hash(__m512i *states, cp_aead_operation *const *operations, int groups, int packets, int rounds,
                                const pending_packets *pending, int hash, int direction) {
    const int steps = packets * ((groups + 1) / 2);
    cp_products products[CP_GROUPS];
    int done = 0;
    CP_UNROLL for (int round = 1; round < rounds; round++) {
        CP_UNROLL for (int packet = 0; packet < packets; packet++) {
            const __m512i key = cp_broadcast(operations[packet]->key->round_keys[round]);
            CP_UNROLL for (int group = 0; group < groups; group++) states[packet * groups + group] =
                _mm512_aesenc_epi128(states[packet * groups + group], key);
        }
        const int until = hash ? steps * round / (rounds - 1) : 0;
        CP_UNROLL for (int step = 0; step < CP_GROUPS; step++) {
            if (step >= done && step < until)
                hash_step(pending, products, groups, packets, step, direction);
        }
        done = until;
    }
}

/* The last round and the data of one packet. What GHASH is to take goes to `blocks` and `cover`. */
CP_INLINE void crypt_packet(const __m512i *states, cp_aead_operation *operation, __m128i front, int groups, int rounds, int direction,
                            __m512i *blocks, __m512i *cover) {
    const unsigned padding = cp_padding(operation);
    const __m512i key = cp_broadcast(operation->key->round_keys[rounds]);
    const uintptr_t source = cp_first_lane(operation->source, padding), destination = cp_first_lane(operation->destination, padding);
    const __mmask64 front_mask = cp_front_mask(padding), last_mask = cp_last_mask(operation, padding, (size_t)groups - 1);
    const __mmask64 first_mask = groups == 1 ? cp_first_mask(padding) & last_mask : cp_first_mask(padding);
    CP_UNROLL for (int group = 0; group < groups; group++) {
        const __mmask64 mask = group == 0 ? first_mask : group == groups - 1 ? last_mask : ~0ull;
        const __m512i input = _mm512_maskz_loadu_epi8(mask, (const void *)(source + CP_GROUP_BYTES * (size_t)group));
        __m512i output;
        if (group == 0) {
            const __m512i keystream = _mm512_aesenclast_epi128(states[0], key);
            *cover = _mm512_maskz_shuffle_epi8(front_mask, keystream, cp_reversal());
            output = _mm512_xor_si512(keystream, input);
        } else {
            output = _mm512_aesenclast_epi128(states[group], _mm512_xor_si512(key, input));
        }
        _mm512_mask_storeu_epi8((void *)(destination + CP_GROUP_BYTES * (size_t)group), mask, output);
        __m512i ciphertext = direction == CP_AEAD_OPEN ? input : _mm512_maskz_mov_epi8(mask, output);
        if (group == 0)
            ciphertext = _mm512_mask_mov_epi8(ciphertext, front_mask, _mm512_broadcast_i32x4(front));
        blocks[group] = cp_reverse(ciphertext);
    }
    blocks[groups - 1] = _mm512_inserti32x4(blocks[groups - 1], cp_lengths(operation), CP_LANES - 1);
}

CP_INLINE void crypt_pass(cp_aead_operation *const *operations, int groups, int packets, int rounds, int direction,
                          pending_packets *pending, int hash) {
    __m512i states[CP_GROUPS];
    CP_UNROLL for (int packet = 0; packet < packets; packet++) begin_packet(states + packet * groups, operations[packet], groups);
    encrypt_and_hash(states, operations, groups, packets, rounds, pending, hash, direction);
    CP_UNROLL for (int packet = 0; packet < packets; packet++) {
        pending->operations[packet] = operations[packet];
        crypt_packet(states + packet * groups, operations[packet], cp_inline_aad(operations[packet]), groups, rounds, direction,
                     pending->blocks + packet * groups, pending->covers + packet);
    }
}

CP_INLINE void hash_pending(const pending_packets *pending, int groups, int packets, int direction) {
    cp_products products[CP_GROUPS];
    CP_UNROLL for (int step = 0; step < packets * ((groups + 1) / 2); step++)
        hash_step(pending, products, groups, packets, step, direction);
}

/* One packet alone. */
CP_INLINE void run_single(cp_aead_operation *operation, __m128i front, int groups, int rounds, int direction) {
    pending_packets pending = {.operations = {operation}};
    __m512i states[CP_GROUPS];
    begin_packet(states, operation, groups);
    encrypt_and_hash(states, &operation, groups, 1, rounds, &pending, 0, direction);
    crypt_packet(states, operation, front, groups, rounds, direction, pending.blocks, pending.covers);
    hash_pending(&pending, groups, 1, direction);
}

/* Passes of `packets` packets, and what is left over one by one. */
CP_INLINE void run_packets(cp_aead_operation *const *operations, size_t count, int groups, int packets, int rounds, int direction,
                           cp_vaes512_single_kernel *single) {
    if (count >= (size_t)packets && count > 1) {
        pending_packets pending;
        crypt_pass(operations, groups, packets, rounds, direction, &pending, 0);
        for (operations += packets, count -= packets; count >= (size_t)packets; operations += packets, count -= packets)
            crypt_pass(operations, groups, packets, rounds, direction, &pending, 1);
        hash_pending(&pending, groups, packets, direction);
    }
    for (; count > 0; operations++, count--)
        single(*operations, cp_inline_aad(*operations));
}

/* The kernels for packets of so many groups, of which so many fill a pass. */
#define KERNELS_OF(GROUPS, PACKETS, NAME, KEY_SIZE, DIRECTION)                                                                             \
    static __attribute__((noinline)) void NAME##_single_##GROUPS(cp_aead_operation *operation, __m128i front) {                            \
        run_single(operation, front, GROUPS, CP_ROUNDS(KEY_SIZE), DIRECTION);                                                              \
    }                                                                                                                                      \
    void cp_vaes512_##NAME##_##GROUPS(cp_aead_operation *const *operations, size_t count) {                                                \
        run_packets(operations, count, GROUPS, PACKETS, CP_ROUNDS(KEY_SIZE), DIRECTION, NAME##_single_##GROUPS);                           \
    }
#define KERNELS(GROUPS, PACKETS)                                                                                                           \
    KERNELS_OF(GROUPS, PACKETS, seal_128, CP_AES_128, CP_AEAD_SEAL)                                                                        \
    KERNELS_OF(GROUPS, PACKETS, seal_256, CP_AES_256, CP_AEAD_SEAL)                                                                        \
    KERNELS_OF(GROUPS, PACKETS, open_128, CP_AES_128, CP_AEAD_OPEN)                                                                        \
    KERNELS_OF(GROUPS, PACKETS, open_256, CP_AES_256, CP_AEAD_OPEN)

KERNELS(1, 8)
KERNELS(2, 4)
KERNELS(3, 2)
KERNELS(4, 2)
KERNELS(5, 1)
KERNELS(6, 1)
KERNELS(7, 1)
KERNELS(8, 1)

#define SINGLE(name)                                                                                                                       \
    {                                                                                                                                      \
        NULL, name##_single_1, name##_single_2, name##_single_3, name##_single_4, name##_single_5, name##_single_6, name##_single_7,       \
            name##_single_8                                                                                                                \
    }

cp_vaes512_single_kernel *const cp_vaes512_single[2][CP_KEY_SIZES][CP_GROUPS + 1] = {
    {SINGLE(seal_128), SINGLE(seal_256)},
    {SINGLE(open_128), SINGLE(open_256)},
};
