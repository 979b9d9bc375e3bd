/*
 * Messages of up to eight blocks, one shape at a time: AES of some of them goes through the AES unit while a hash goes through the
 * multiplier. A seal hashes what it wrote in the pass before. An open hashes what it reads in the same pass, before plaintext takes its place.
 *
 * Constant time: branches and addresses depend on lengths, and on whether a tag was right.
 */
#ifndef CP_SMALL_H
#define CP_SMALL_H

#include "../../plan.h"
#include "aes.h"
#include "ghash.h"

/* Messages per pass, so that four to eight lanes are in flight. */
CP_INLINE int messages_per_pass(int blocks) { return blocks == 0 ? 4 : blocks == 1 ? 4 : blocks <= 3 ? 2 : 1; }

/* Messages whose AES is done and whose hash is not. */
typedef struct {
    cp_aead_operation *operation[4];
    block mask[4]; /* the encryption of J0 */
} pending;

/* Block number `i` of the hash of a message: AAD, then ciphertext, then the lengths, multiplied by H^(blocks + 2) … H. */
CP_INLINE void hash_block(hash_sum *sum, const cp_aead_operation *operation, int blocks, int direction, int i) {
    const uint8_t *ciphertext = direction == CP_AEAD_SEAL ? operation->destination : operation->source;
    block x;
    if (i == 0)
        x = hash_inline_aad(operation);
    else if (i == blocks + 1)
        x = lengths_block(operation);
    else if (i < blocks)
        x = reverse_bytes(load(ciphertext + 16 * (i - 1)));
    else /* what lies behind the data is the tag, or its place */
        x = reverse_bytes(keep_first(load(ciphertext + 16 * (i - 1)), operation->length - 16 * (unsigned)(i - 1)));
    add_product(sum, x, operation->key, blocks + 2 - i);
}

CP_INLINE void finish_all(const pending *messages, const hash_sum *sums, int count, int direction) {
#pragma GCC unroll 4
    for (int m = 0; m < count; m++)
        finish(messages->operation[m], reduce(sums[m]), messages->mask[m], direction);
}

/* One pass: AES of `count` messages; beside it the hash of those of the pass before (a seal, unless it is the first) or their own (an open). */
CP_INLINE void pass(cp_aead_operation *const *operations, pending *before, int is_first, int count, int blocks, int rounds, int direction) {
    const int lanes_each = blocks + 1, units_each = blocks + 2, units = count * units_each;
    const int hashes = direction == CP_AEAD_OPEN || !is_first;
    cp_aead_operation *const *hashed = direction == CP_AEAD_OPEN ? operations : before->operation;
    block lanes[4 * 9];
    hash_sum sums[4];
#pragma GCC unroll 4
    for (int m = 0; m < count; m++) {
        begin_lanes(lanes + m * lanes_each, lanes_each, operations[m], 1, 2);
        sums[m] = empty_sum();
    }
#pragma GCC unroll 14
    for (int round = 1; round < rounds; round++) {
#pragma GCC unroll 4
        for (int m = 0; m < count; m++)
            aes_round(lanes + m * lanes_each, lanes_each, operations[m]->key, round);
        if (hashes) {
#pragma GCC unroll 12
            for (int unit = (round - 1) * units / (rounds - 1); unit < round * units / (rounds - 1); unit++)
                hash_block(&sums[unit / units_each], hashed[unit / units_each], blocks, direction, unit % units_each);
        }
    }
    pending now;
#pragma GCC unroll 4
    for (int m = 0; m < count; m++) {
        last_aes_round(lanes + m * lanes_each, lanes_each, operations[m]->key, rounds);
        now.operation[m] = operations[m];
        now.mask[m] = lanes[m * lanes_each];
    }
    if (direction == CP_AEAD_SEAL && hashes)
        finish_all(before, sums, count, CP_AEAD_SEAL);
#pragma GCC unroll 4
    for (int m = 0; m < count; m++) {
        cp_aead_operation *operation = operations[m];
        crypt_blocks(operation->destination, operation->source, lanes + m * lanes_each + 1, blocks, operation->length, direction);
    }
    if (direction == CP_AEAD_OPEN)
        finish_all(&now, sums, count, CP_AEAD_OPEN);
    else
        *before = now;
}

/* The hash of a seal's last pass. */
CP_INLINE void hash_last(const pending *before, int count, int blocks) {
    hash_sum sums[4];
#pragma GCC unroll 4
    for (int m = 0; m < count; m++) {
        sums[m] = empty_sum();
#pragma GCC unroll 10
        for (int i = 0; i < blocks + 2; i++)
            hash_block(&sums[m], before->operation[m], blocks, CP_AEAD_SEAL, i);
    }
    finish_all(before, sums, count, CP_AEAD_SEAL);
}

/* Asks for the keys of one pass's messages. */
CP_INLINE void fetch_keys(cp_aead_operation *const *operations, int count, int rounds) {
    for (int m = 0; m < count; m++)
        cp_prefetch_key(operations[m]->key, rounds == 10 ? CP_KEY_LINES_SMALL - 1 : CP_KEY_LINES_SMALL);
}

CP_INLINE void run_passes(cp_aead_operation *const *operations, size_t passes, int count, int blocks, int rounds, int direction) {
    pending before;
    pass(operations, &before, 1, count, blocks, rounds, direction);
    for (size_t i = 1; i < passes; i++) {
        if (i + CP_PASSES_AHEAD < passes)
            fetch_keys(operations + (i + CP_PASSES_AHEAD) * (size_t)count, count, rounds);
        pass(operations + i * (size_t)count, &before, 0, count, blocks, rounds, direction);
    }
    if (direction == CP_AEAD_SEAL)
        hash_last(&before, count, blocks);
}

CP_INLINE void run_small(cp_aead_operation *const *operations, size_t count, int blocks, int rounds, int direction) {
    const size_t together = (size_t)messages_per_pass(blocks);
    const size_t passes = count / together, rest = count % together;
    if (passes > 0)
        run_passes(operations, passes, (int)together, blocks, rounds, direction);
    if (together > 1 && rest > 0)
        run_passes(operations + passes * together, rest, 1, blocks, rounds, direction);
}

/* A message that has no other beside it. */
CP_INLINE void run_alone(cp_aead_operation *const *operations, int blocks, int rounds, int direction) {
    run_passes(operations, 1, 1, blocks, rounds, direction);
}

/*
 * One function per shape: straight-line code, which is worth a fifth to a third against one that loops over the blocks. Those for one message
 * are apart, since their frames are small and quickly wiped.
 */
#define SMALL_KERNEL_OF(name, blocks, rounds, direction)                                                                               \
    static void name##_##blocks(cp_aead_operation *const *operations, size_t count) {                                                  \
        run_small(operations, count, blocks, rounds, direction);                                                                       \
    }                                                                                                                                  \
    static void name##_##blocks##_alone(cp_aead_operation *const *operations, size_t count) {                                          \
        (void)count;                                                                                                                   \
        run_alone(operations, blocks, rounds, direction);                                                                              \
    }
#define SMALL_KERNEL(blocks)                                                                                                           \
    SMALL_KERNEL_OF(seal_128, blocks, 10, CP_AEAD_SEAL)                                                                                \
    SMALL_KERNEL_OF(seal_256, blocks, 14, CP_AEAD_SEAL)                                                                                \
    SMALL_KERNEL_OF(open_128, blocks, 10, CP_AEAD_OPEN)                                                                                \
    SMALL_KERNEL_OF(open_256, blocks, 14, CP_AEAD_OPEN)
SMALL_KERNEL(0)
SMALL_KERNEL(1)
SMALL_KERNEL(2)
SMALL_KERNEL(3)
SMALL_KERNEL(4)
SMALL_KERNEL(5)
SMALL_KERNEL(6)
SMALL_KERNEL(7)
SMALL_KERNEL(8)

#endif
