/*
 * From a burst to lists of operations that one kernel takes together.
 *
 * A kernel is straight-line code for one shape: direction, algorithm, key size, and a class of sizes. Operations of one shape are worked
 * on together, whatever their keys, so a burst is sorted by shape (stably: equal operations stay in order) before it runs.
 */
#ifndef CP_PLAN_H
#define CP_PLAN_H

#include "cryptoplane_aead.h"

enum {
    /* Data of up to this many blocks of 16 bytes may have kernels of its own. */
    CP_SMALL_BLOCKS = 32,

    /* Size class of all that is longer, and of operations with more AAD than fits in the descriptor. */
    CP_CLASS_LONG = CP_SMALL_BLOCKS + 1,
    CP_CLASSES,

    /* Operations that are planned at once. */
    CP_PLAN_LIMIT = 64,

    /*
     * How many passes ahead of its work a kernel asks for keys. Memory answers about ten requests at once: all of a burst's in one go would
     * stop the CPU until the last was taken, and keep the caches' own traffic waiting.
     */
    CP_PASSES_AHEAD = 3,

    /* Keys that planning asks for where the kernels do the rest: those of the passes before a kernel's own requests, of two messages each. */
    CP_KEYS_AT_START = 2 * (CP_PASSES_AHEAD + 1),

    /* Cache lines of a key, from H^8 on, that a small packet touches; one less where there are ten AES rounds. */
    CP_KEY_LINES_SMALL = 7,

    /* Bytes of stack that planning takes, at most, above the frames of the kernels: who wipes theirs wipes this too. */
    CP_PLAN_STACK = 1024,
};

/* Carries out operations of one shape and sets their statuses; a failed open's destination is zeroed. */
typedef void cp_kernel(cp_aead_operation *const *operations, size_t count);

/* The kernels of a tier. */
typedef struct {
    /*
     * Which kernel takes data of so many blocks (0 to 32) with AAD of at most 16 bytes, and (at CP_CLASS_LONG) all other data:
     * an index into `gcm`. Classes that share a kernel are worked on together.
     */
    uint8_t kernel_of_class[CP_CLASSES];

    /* By direction, key size (0: AES-128, 1: AES-256) and kernel. */
    cp_kernel *gcm[2][2][CP_CLASSES];

    /* By direction; any sizes. */
    cp_kernel *chacha20_poly1305[2];

    /* Whether the kernels in `gcm` ask for the keys ahead themselves, while they work; else planning asks for all of them. */
    int fetch_keys;
} cp_kernels;

/* Asks for the lines of a key from H^8 on. A prefetch of no key at all does no harm, but must not be computed as an offset from a pointer. */
static inline void cp_prefetch_key(const cp_aead_key *key, int lines) {
    uintptr_t first = (uintptr_t)key + offsetof(cp_aead_key, hash_powers[CP_AEAD_HASH_POWERS - 8]);
    for (int line = 0; line < lines; line++)
        __builtin_prefetch((const void *)(first + 64 * (uintptr_t)line));
}

/* Asks for a whole key. */
static inline void cp_prefetch_whole_key(const cp_aead_key *key) {
    for (uintptr_t line = 0; line < sizeof *key; line += 64)
        __builtin_prefetch((const void *)((uintptr_t)key + line));
}

/* Runs a burst of any mix, with the keys of the operations ahead fetched into the cache. Wiping is the caller's. */
void cp_plan_and_run(const cp_kernels *kernels, cp_aead_operation *operations, size_t count);

#endif
