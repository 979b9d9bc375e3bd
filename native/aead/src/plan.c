#include "plan.h"

/* A shape as a small number: 0 is no shape, then the kernels for AES-GCM by direction and key size, then those for ChaCha20-Poly1305. */
enum {
    SHAPE_INVALID = 0,
    SHAPE_GCM = 1,
    SHAPE_CHACHA = SHAPE_GCM + 4 * CP_CLASSES,
    SHAPES = SHAPE_CHACHA + 2,
};

/* The shape of the first kernel that may serve a key. */
static inline unsigned first_shape_of(const cp_aead_key *key) {
    if (key == NULL)
        return SHAPE_INVALID;
    switch (key->algorithm) {
    case CP_AEAD_AES_128_GCM:
        return SHAPE_GCM;
    case CP_AEAD_AES_256_GCM:
        return SHAPE_GCM + CP_CLASSES;
    case CP_AEAD_CHACHA20_POLY1305:
        return SHAPE_CHACHA;
    default:
        return SHAPE_INVALID;
    }
}

static inline unsigned shape_of(const cp_kernels *kernels, const cp_aead_operation *operation, unsigned first_shape) {
    unsigned direction = operation->direction & 1;
    if (first_shape == SHAPE_INVALID)
        return SHAPE_INVALID;
    if (first_shape == SHAPE_CHACHA)
        return SHAPE_CHACHA + direction;
    size_t blocks = ((size_t)operation->length + 15) / 16;
    size_t class = blocks <= CP_SMALL_BLOCKS ? blocks : CP_CLASS_LONG;
    class = operation->aad_length <= CP_AEAD_INLINE_AAD ? class : CP_CLASS_LONG;
    return first_shape + 2 * CP_CLASSES * direction + kernels->kernel_of_class[class];
}

static inline void run_shape(const cp_kernels *kernels, unsigned shape, cp_aead_operation *const *operations, size_t count) {
    if (shape >= SHAPE_CHACHA) {
        kernels->chacha20_poly1305[shape - SHAPE_CHACHA](operations, count);
    } else if (shape >= SHAPE_GCM) {
        unsigned row = (shape - SHAPE_GCM) / CP_CLASSES;
        kernels->gcm[row >> 1][row & 1][(shape - SHAPE_GCM) % CP_CLASSES](operations, count);
    } else {
        for (size_t i = 0; i < count; i++)
            operations[i]->status = CP_AEAD_INVALID_OPERATION;
    }
}

/* Gathers the operations of each shape in turn. A shape's operations are a chain through `next`, begun at `first`. */
static void run_mixed(const cp_kernels *kernels, cp_aead_operation *operations, size_t count, const uint8_t *shapes,
                      cp_aead_operation **list) {
    enum { NONE = CP_PLAN_LIMIT };
    uint8_t first[SHAPES], next[CP_PLAN_LIMIT];
    uint64_t used[(SHAPES + 63) / 64] = {0};
    for (size_t i = count; i-- > 0;) {
        unsigned shape = shapes[i];
        uint64_t bit = 1ull << shape % 64;
        next[i] = used[shape / 64] & bit ? first[shape] : NONE;
        used[shape / 64] |= bit;
        first[shape] = (uint8_t)i;
    }
    for (unsigned word = 0; word < sizeof used / sizeof used[0]; word++) {
        for (; used[word] != 0; used[word] &= used[word] - 1) {
            unsigned shape = 64 * word + (unsigned)__builtin_ctzll(used[word]);
            size_t gathered = 0;
            for (unsigned i = first[shape]; i != NONE; i = next[i])
                list[gathered++] = operations + i;
            run_shape(kernels, shape, list, gathered);
        }
    }
}

static __attribute__((noinline)) void run_planned(const cp_kernels *kernels, cp_aead_operation *operations, size_t count) {
    cp_aead_operation *list[CP_PLAN_LIMIT];
    uint8_t shapes[CP_PLAN_LIMIT];
    const cp_aead_key *key = NULL; /* of the operation before: what is known of it need not be looked up again */
    unsigned first_shape = SHAPE_INVALID, different = 0;
    const size_t ahead = kernels->fetch_keys ? CP_KEYS_AT_START : count;
    for (size_t i = 0; i < count; i++) {
        if (operations[i].key != key) {
            key = operations[i].key;
            if (i < ahead)
                cp_prefetch_key(key, CP_KEY_LINES_SMALL);
            first_shape = first_shape_of(key);
        }
        unsigned shape = shape_of(kernels, operations + i, first_shape);
        list[i] = operations + i;
        shapes[i] = (uint8_t)shape;
        different |= shape ^ shapes[0];
    }
    if (different) {
        /* Few of each shape: kernels would begin anew again and again, with nothing asked for. */
        for (size_t i = ahead; i < count; i++)
            cp_prefetch_key(operations[i].key, CP_KEY_LINES_SMALL);
        run_mixed(kernels, operations, count, shapes, list);
    } else {
        run_shape(kernels, shapes[0], list, count);
    }
}

_Static_assert(SHAPES <= UINT8_MAX && CP_PLAN_LIMIT <= UINT8_MAX, "shapes and places fit in bytes");

void cp_plan_and_run(const cp_kernels *kernels, cp_aead_operation *operations, size_t count) {
    if (count == 1) {
        run_shape(kernels, shape_of(kernels, operations, first_shape_of(operations->key)), &operations, 1);
        return;
    }
    while (count > 0) {
        size_t now = count < CP_PLAN_LIMIT ? count : CP_PLAN_LIMIT;
        run_planned(kernels, operations, now);
        operations += now;
        count -= now;
    }
}
