/*
 * Messages of any length: groups of eight blocks, whose AES goes through the AES unit while another group's hash goes through the
 * multiplier, and an end of up to eight blocks with J0, the lengths and the tag.
 *
 *     seal:   AES 0 │ AES 1 ‖ hash 0 │ AES 2 ‖ hash 1 │ … │ AES end ‖ hash n │ hash end
 *     open:   AES 0 ‖ hash 0 │ AES 1 ‖ hash 1 │ …         │ AES end ‖ hash end
 *
 * A seal can hash a group only when it has been encrypted; an open hashes what it reads, before plaintext takes its place.
 * Constant time: branches and addresses depend on lengths, and on whether a tag was right.
 */
#ifndef CP_LONG_H
#define CP_LONG_H

#include "aes.h"
#include "ghash.h"

enum { GROUP = 8, GROUP_LENGTH = 16 * GROUP };

/* Adds block `i` of a group of ciphertext to its sum; the hash so far goes with the first. */
CP_INLINE void hash_group_block(hash_sum *sum, const uint8_t *group, block hash, const cp_aead_key *key, int i) {
    const block x = reverse_bytes(load(group + 16 * i));
    add_product(sum, i == 0 ? xor2(x, hash) : x, key, GROUP - i);
}

/* AES of one group, beside the hash of the group at `hashed` if `hashes` (a constant). Returns the hash. */
CP_INLINE block run_group(const cp_aead_operation *operation, size_t offset, int hashes, const uint8_t *hashed, block hash, int rounds) {
    const cp_aead_key *key = operation->key;
    const uint8_t *source = operation->source + offset;
    uint8_t *destination = operation->destination + offset;
    block lanes[GROUP];
    hash_sum sum = empty_sum();
    begin_lanes(lanes, GROUP, operation, 0, (uint32_t)(2 + offset / 16));
#pragma GCC unroll 14
    for (int round = 1; round < rounds; round++) {
        aes_round(lanes, GROUP, key, round);
        if (hashes && round <= GROUP)
            hash_group_block(&sum, hashed, hash, key, round - 1);
    }
    if (hashes)
        hash = reduce(sum);
    const block k = round_key(key, rounds);
#pragma GCC unroll 8
    for (int i = 0; i < GROUP; i++)
        store(destination + 16 * i, _mm_aesenclast_si128(lanes[i], xor2(k, load(source + 16 * i))));
    return hash;
}

/*
 * The end: J0 and the last `blocks` blocks, beside the hash of the group before it (a seal). `pending` is 1 where the hash ends in an AAD
 * block that has not been multiplied yet.
 */
CP_INLINE void run_end(cp_aead_operation *operation, size_t offset, int hashes, const uint8_t *hashed, block hash, int pending, int blocks, int rounds,
                       int direction) {
    const cp_aead_key *key = operation->key;
    const size_t left = operation->length - offset;
    block lanes[GROUP + 1];
    hash_sum sum = empty_sum(), end = empty_sum();
    begin_lanes(lanes, blocks + 1, operation, 1, (uint32_t)(2 + offset / 16));
#pragma GCC unroll 14
    for (int round = 1; round < rounds; round++) {
        aes_round(lanes, blocks + 1, key, round);
        if (hashes && round <= GROUP)
            hash_group_block(&sum, hashed, hash, key, round - 1);
    }
    last_aes_round(lanes, blocks + 1, key, rounds);
    if (hashes)
        hash = reduce(sum);
    add_product(&end, hash, key, blocks + 1 + pending);
    add_product(&end, lengths_block(operation), key, 1);

    const uint8_t *ciphertext = (direction == CP_AEAD_SEAL ? operation->destination : operation->source) + offset;
    if (direction == CP_AEAD_SEAL)
        crypt_blocks(operation->destination + offset, operation->source + offset, lanes + 1, blocks, left, direction);
#pragma GCC unroll 8
    for (int i = 0; i < blocks; i++) {
        block x = load(ciphertext + 16 * i);
        if (i == blocks - 1)
            x = keep_first(x, (unsigned)(left - 16 * (size_t)i));
        add_product(&end, reverse_bytes(x), key, blocks + 1 - i);
    }
    if (direction == CP_AEAD_OPEN)
        crypt_blocks(operation->destination + offset, operation->source + offset, lanes + 1, blocks, left, direction);
    finish(operation, reduce(end), lanes[0], direction);
}

CP_INLINE void run_long(cp_aead_operation *operation, int rounds, int direction) {
    const cp_aead_key *key = operation->key;
    const size_t groups = operation->length / GROUP_LENGTH * GROUP_LENGTH;
    block hash = hash_aad(operation);
    const uint8_t *hashed = NULL;
    int pending = 1;
    if (groups > 0) {
        hash = multiply_by_h(hash, key);
        pending = 0;
    }
    if (direction == CP_AEAD_OPEN) {
        for (size_t offset = 0; offset < groups; offset += GROUP_LENGTH)
            hash = run_group(operation, offset, 1, operation->source + offset, hash, rounds);
    } else if (groups > 0) {
        hash = run_group(operation, 0, 0, NULL, hash, rounds);
        for (size_t offset = GROUP_LENGTH; offset < groups; offset += GROUP_LENGTH)
            hash = run_group(operation, offset, 1, operation->destination + offset - GROUP_LENGTH, hash, rounds);
        hashed = operation->destination + groups - GROUP_LENGTH;
    }
    switch ((operation->length - groups + 15) / 16) {
#define END(blocks)                                                                                                                    \
    case blocks:                                                                                                                       \
        if (hashed != NULL)                                                                                                            \
            run_end(operation, groups, 1, hashed, hash, pending, blocks, rounds, direction);                                              \
        else                                                                                                                           \
            run_end(operation, groups, 0, NULL, hash, pending, blocks, rounds, direction);                                                \
        break;
        END(0)
        END(1)
        END(2)
        END(3)
        END(4)
        END(5)
        END(6)
        END(7)
        END(8)
    }
}

/* One message after the other, the next one's key on its way meanwhile. */
CP_INLINE void run_all_long(cp_aead_operation *const *operations, size_t count, int rounds, int direction) {
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count)
            cp_prefetch_whole_key(operations[i + 1]->key);
        run_long(operations[i], rounds, direction);
    }
}

static void seal_128_long(cp_aead_operation *const *operations, size_t count) {
    run_all_long(operations, count, 10, CP_AEAD_SEAL);
}

static void seal_256_long(cp_aead_operation *const *operations, size_t count) {
    run_all_long(operations, count, 14, CP_AEAD_SEAL);
}

static void open_128_long(cp_aead_operation *const *operations, size_t count) {
    run_all_long(operations, count, 10, CP_AEAD_OPEN);
}

static void open_256_long(cp_aead_operation *const *operations, size_t count) {
    run_all_long(operations, count, 14, CP_AEAD_OPEN);
}

#endif
