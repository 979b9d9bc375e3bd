#include "burst.h"
#include "check.h"
#include "program.h"

#include <stdlib.h>
#include <string.h>

enum { CANARY_SIZE = 64, CANARY = 0xA5, ALGORITHMS = 3, KEYS = ALGORITHMS * CP_KEYS_PER_ALGORITHM };

typedef struct {
    cp_shape shape;
    size_t source, source_size, destination, destination_size, aad; /* in the arena */
    size_t original, expected;                                      /* in the answers: the source as it was, the destination to come */
    cp_aead_operation before;
} message;

/* Grows by doubling, when it is empty. */
typedef struct {
    uint8_t *bytes;
    size_t used, size;
} arena;

struct cp_burst {
    cp_random *random;
    cp_aead_key *keys, *keys_before;
    cp_oracle *oracles[KEYS];
    message messages[CP_BURST_LIMIT];
    cp_shape shapes[CP_BURST_LIMIT];
    size_t count;
    cp_aead_operation *operations;
    arena buffers, answers;
};

static size_t key_index(uint8_t algorithm, uint8_t key) { return (size_t)(algorithm - 1) * CP_KEYS_PER_ALGORITHM + key; }

static void reserve(arena *a, size_t size) {
    a->used = 0;
    if (size <= a->size)
        return;
    free(a->bytes);
    a->size = 2 * size;
    a->bytes = aligned_alloc(64, (a->size + 63) & ~(size_t)63);
    if (a->bytes == NULL) {
        printf("out of memory\n");
        exit(2);
    }
}

cp_burst *cp_burst_new(cp_random *random) {
    cp_burst *burst = calloc(1, sizeof *burst);
    burst->random = random;
    burst->keys = cp_keys_new(KEYS);
    burst->keys_before = cp_keys_new(KEYS);
    burst->operations = aligned_alloc(64, CP_BURST_LIMIT * sizeof *burst->operations);
    cp_random_fill(random, burst->keys, KEYS * sizeof *burst->keys); /* `callers_own`, and what ChaCha20 does not use */
    for (uint8_t algorithm = 1; algorithm <= ALGORITHMS; algorithm++) {
        for (uint8_t key = 0; key < CP_KEYS_PER_ALGORITHM; key++)
            cp_burst_new_key(burst, algorithm, key);
    }
    return burst;
}

void cp_burst_new_key(cp_burst *burst, uint8_t algorithm, uint8_t key) {
    size_t index = key_index(algorithm, key);
    uint8_t raw[CP_AEAD_MAX_KEY_SIZE];
    cp_random_fill(burst->random, raw, sizeof raw);
    cp_key_expand(&burst->keys[index], algorithm, raw);
    burst->keys_before[index] = burst->keys[index];
    if (burst->oracles[index] == NULL)
        burst->oracles[index] = cp_oracle_new(algorithm, raw);
    else
        cp_oracle_set_key(burst->oracles[index], raw);
}

void cp_burst_free(cp_burst *burst) {
    for (size_t i = 0; i < KEYS; i++)
        cp_oracle_free(burst->oracles[i]);
    free(burst->keys);
    free(burst->keys_before);
    free(burst->operations);
    free(burst->buffers.bytes);
    free(burst->answers.bytes);
    free(burst);
}

void cp_burst_add(cp_burst *burst, const cp_shape *shape) {
    burst->shapes[burst->count] = *shape;
    burst->count++;
}

/* A place for `size` bytes at any alignment, with canaries around. */
static size_t place(cp_burst *burst, size_t size) {
    arena *a = &burst->buffers;
    size_t start = a->used + CANARY_SIZE + cp_random_below(burst->random, 64);
    size_t next = start + size + CANARY_SIZE;
    memset(a->bytes + a->used, CANARY, start - a->used);
    memset(a->bytes + start + size, CANARY, CANARY_SIZE);
    a->used = next;
    return start;
}

static size_t place_answer(cp_burst *burst, size_t size) {
    size_t start = burst->answers.used;
    burst->answers.used += size;
    return start;
}

static void flip_bit(cp_burst *burst, uint8_t *bytes, size_t count) {
    uint32_t bit = cp_random_below(burst->random, (uint32_t)count * 8);
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

static void build(cp_burst *burst, size_t index) {
    message *m = &burst->messages[index];
    cp_aead_operation *o = &burst->operations[index];
    const cp_shape s = m->shape = burst->shapes[index];
    int seals = s.direction == CP_AEAD_SEAL;
    size_t key = key_index(s.algorithm, s.key), length = s.length;
    m->source_size = length + (seals && !s.in_place ? 0 : CP_AEAD_TAG_SIZE);
    m->destination_size = length + (seals || s.in_place ? CP_AEAD_TAG_SIZE : 0);
    m->source = place(burst, m->source_size);
    m->destination = s.in_place ? m->source : place(burst, m->destination_size);
    m->aad = place(burst, s.aad_length);
    m->original = place_answer(burst, length + CP_AEAD_TAG_SIZE);
    m->expected = place_answer(burst, length + CP_AEAD_TAG_SIZE);
    uint8_t *source = burst->buffers.bytes + m->source, *aad = burst->buffers.bytes + m->aad;
    uint8_t *original = burst->answers.bytes + m->original, *expected = burst->answers.bytes + m->expected;

    /* The descriptor is as an earlier burst may have left it: what lies behind the AAD does not count. */
    cp_random_fill(burst->random, o, sizeof *o);
    cp_random_fill(burst->random, aad, s.aad_length);
    cp_random_fill(burst->random, original, length + CP_AEAD_TAG_SIZE);
    cp_oracle_seal(burst->oracles[key], o->nonce, aad, s.aad_length, original, length, expected);
    if (seals) {
        memcpy(source, original, m->source_size);
    } else {
        memcpy(source, expected, m->source_size);
        memcpy(expected, original, length);
        memcpy(expected + length, source + length, CP_AEAD_TAG_SIZE);
        cp_forgery forgery = s.forgery;
        if ((forgery == CP_FORGED_CIPHERTEXT && length == 0) || (forgery == CP_FORGED_AAD && s.aad_length == 0))
            forgery = m->shape.forgery = CP_FORGED_TAG;
        if (forgery == CP_FORGED_TAG)
            flip_bit(burst, source + length, CP_AEAD_TAG_SIZE);
        else if (forgery == CP_FORGED_CIPHERTEXT)
            flip_bit(burst, source, length);
        else if (forgery == CP_FORGED_AAD)
            flip_bit(burst, aad, s.aad_length);
        else if (forgery == CP_FORGED_NONCE)
            flip_bit(burst, o->nonce, CP_AEAD_NONCE_SIZE);
        if (forgery != CP_GENUINE)
            memset(expected, 0, length);
        memcpy(original, source, length + CP_AEAD_TAG_SIZE);
        if (s.in_place) /* the tag behind the ciphertext stays */
            memcpy(expected + length, source + length, CP_AEAD_TAG_SIZE);
    }
    o->source = source;
    o->destination = burst->buffers.bytes + m->destination;
    o->key = &burst->keys[key];
    o->length = s.length;
    o->aad_length = s.aad_length;
    o->direction = s.direction;
    o->status = CP_AEAD_PENDING;
    if (s.aad_length <= CP_AEAD_INLINE_AAD)
        memcpy(o->inline_aad, aad, s.aad_length);
    else
        o->aad = aad;
    m->before = *o;
}

static int is_canary(const uint8_t *bytes) {
    static const uint8_t canary[CANARY_SIZE] = {[0 ... CANARY_SIZE - 1] = CANARY};
    return memcmp(bytes, canary, CANARY_SIZE) == 0;
}

static void check(cp_burst *burst, size_t index, const char *where) {
    const message *m = &burst->messages[index];
    const cp_shape *s = &m->shape;
    cp_aead_operation *o = &burst->operations[index];
    const uint8_t *buffers = burst->buffers.bytes, *answers = burst->answers.bytes;
    char what[192];
    int status = o->status,
        expected = s->direction == CP_AEAD_OPEN && s->forgery != CP_GENUINE ? CP_AEAD_AUTHENTICATION_FAILED : CP_AEAD_SUCCESS;
    o->status = m->before.status;
    int right = status == expected;
    int same_output = memcmp(buffers + m->destination, answers + m->expected, m->destination_size) == 0;
    int same_source = s->in_place || memcmp(buffers + m->source, answers + m->original, m->source_size) == 0;
    int same_descriptor = memcmp(o, &m->before, sizeof *o) == 0;
    int clean = is_canary(buffers + m->source - CANARY_SIZE) && is_canary(buffers + m->source + m->source_size) &&
                is_canary(buffers + m->destination - CANARY_SIZE) && is_canary(buffers + m->destination + m->destination_size);
    cp_checks += 4;
    if (right && same_output && same_source && same_descriptor && clean) {
        cp_checks++;
        return;
    }
    snprintf(what, sizeof what, "%s: %s %s, %u bytes at %zu to %zu modulo 64, AAD %u, forgery %d, operation %zu of %zu", where,
             cp_algorithm_name(s->algorithm), s->direction == CP_AEAD_SEAL ? "seal" : "open", s->length, m->source % 64,
             m->destination % 64, s->aad_length, s->forgery, index, burst->count);
    CHECK(right, "%s: status %d instead of %d", what, status, expected);
    size_t at = 0;
    while (at < m->destination_size && buffers[m->destination + at] == answers[m->expected + at])
        at++;
    CHECK(same_output, "%s: the output differs from byte %zu on", what, at);
    CHECK(same_source, "%s: the source was written to", what);
    CHECK(same_descriptor, "%s: the descriptor was changed", what);
    CHECK(clean, "%s: bytes around a buffer were written to", what);
}

void cp_burst_run(cp_burst *burst, const cp_aead_tier *tier, const char *where) {
    size_t buffers = 0, answers = 0;
    for (size_t i = 0; i < burst->count; i++) {
        const cp_shape *s = &burst->shapes[i];
        buffers += 2 * ((size_t)s->length + CP_AEAD_TAG_SIZE) + s->aad_length + 3 * (2 * CANARY_SIZE + 64);
        answers += 2 * ((size_t)s->length + CP_AEAD_TAG_SIZE);
    }
    reserve(&burst->buffers, buffers);
    reserve(&burst->answers, answers);
    for (size_t i = 0; i < burst->count; i++)
        build(burst, i);
    tier->run(burst->operations, burst->count);
    for (size_t i = 0; i < burst->count; i++)
        check(burst, i, where);
    CHECK(memcmp(burst->keys, burst->keys_before, KEYS * sizeof *burst->keys) == 0, "%s: a key was changed", where);
    burst->count = 0;
}
