/*
 * ChaCha20-Poly1305 (RFC 8439 §2.8) for bursts, compiled once for AVX-512 and once for AVX2. See the README beside this.
 *
 * Constant time: what is decided, and what is read and written where, depends on lengths, and on whether a tag was right.
 */
#include "chacha20_poly1305.h"

#include "chacha20_few.h"
#include "mac.h"

enum {
    /* Operations that are sorted by length, and worked on in groups of neighbours. */
    SLICE = CP_PLAN_LIMIT,

    /* Blocks of key stream that are made at once. A multiple of WORDS. */
    KEY_STREAM_BLOCKS = 256,

    /* An operation of more blocks is worked on by itself, in pieces of so many bytes. */
    LONG_BLOCKS = 64,
    PIECE = 8192,

    /* More than the functions that a slice, or a long operation, calls put on the stack. */
    STACK_TO_WIPE = 4096,
};

/* What is big, so that the frames of the functions below stay small. The key stream is secret, and wiped at the end. */
typedef struct {
    uint8_t key_stream[KEY_STREAM_BLOCKS * CHACHA_BLOCK];
    size_t used; /* bytes of key_stream that have held key stream */
    cp_aead_operation *sorted[SLICE];
    chacha_span spans[SLICE];
    uint32_t first_block[SLICE]; /* of each operation, in key_stream */
    mac_input inputs[QUADS];
} workspace;

/* Blocks of 64 bytes: the first one is for the one-time key. */
CP_INLINE uint32_t blocks_of(const cp_aead_operation *operation) {
    return 1 + operation->length / CHACHA_BLOCK + (operation->length % CHACHA_BLOCK != 0);
}

CP_INLINE void make_key_stream(workspace *work, const chacha_span *spans, size_t count, uint32_t blocks) {
    size_t written = (size_t)(blocks + WORDS - 1) / WORDS * WORDS * CHACHA_BLOCK;
    work->used = work->used < written ? written : work->used;
    chacha_key_stream(work->key_stream, spans, count, blocks);
}

/* Overwrites the frames of the functions that the caller has called. */
static __attribute__((noinline)) void wipe_stack(void) {
    uint8_t below[STACK_TO_WIPE];
    memset(below, 0, sizeof below);
    __asm__ volatile("" : : "r"(below) : "memory");
}

CP_INLINE void xor_bytes(uint8_t *destination, const uint8_t *source, const uint8_t *key_stream, size_t length) {
    for (; length >= VEC_BYTES; length -= VEC_BYTES, destination += VEC_BYTES, source += VEC_BYTES, key_stream += VEC_BYTES)
        vec_store(destination, vec_xor(vec_load(source), vec_load(key_stream)));
    if (length > 0)
        xor_short(destination, source, key_stream, length);
}

/* Whether the tags are equal, without a branch on where they differ. */
CP_INLINE int same_tag(const uint8_t *a, const uint8_t *b) {
    __m128i difference = _mm_xor_si128(_mm_loadu_si128((const __m128i *)a), _mm_loadu_si128((const __m128i *)b));
    return _mm_testz_si128(difference, difference);
}

/* Puts the tag behind the ciphertext, or compares it with what is there; zeros for what was forged. */
CP_INLINE void seal_tag(cp_aead_operation *operation, const uint8_t tag[CP_AEAD_TAG_SIZE]) {
    memcpy(operation->destination + operation->length, tag, CP_AEAD_TAG_SIZE);
    operation->status = CP_AEAD_SUCCESS;
}

CP_INLINE int open_tag(cp_aead_operation *operation, const uint8_t tag[CP_AEAD_TAG_SIZE]) {
    if (same_tag(tag, operation->source + operation->length)) {
        operation->status = CP_AEAD_SUCCESS;
        return 1;
    }
    memset(operation->destination, 0, operation->length);
    operation->status = CP_AEAD_AUTHENTICATION_FAILED;
    return 0;
}

/* Operations whose key stream is at hand at once. An open is decrypted after its tag has been checked. */
CP_INLINE void run_group(workspace *work, cp_aead_operation *const *operations, size_t count, unsigned direction) {
    uint32_t blocks = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t now = blocks_of(operations[i]);
        work->spans[i] = (chacha_span){operations[i]->key->round_keys[0], operations[i]->nonce, 0, now};
        work->first_block[i] = blocks;
        blocks += now;
    }
    make_key_stream(work, work->spans, count, blocks);

    for (size_t first = 0; first < count; first += QUADS) {
        unsigned now = (unsigned)(count - first < QUADS ? count - first : QUADS);
        cp_aead_operation *const *few = operations + first;
        const uint8_t *streams[QUADS];
        uint8_t tags[QUADS][CP_AEAD_TAG_SIZE];
        for (unsigned i = 0; i < now; i++) {
            const cp_aead_operation *operation = few[i];
            streams[i] = work->key_stream + (size_t)work->first_block[first + i] * CHACHA_BLOCK;
            if (direction == CP_AEAD_SEAL)
                xor_bytes(operation->destination, operation->source, streams[i] + CHACHA_BLOCK, operation->length);
            mac_clear(&work->inputs[i]);
            mac_add_aad(&work->inputs[i], operation);
            mac_add_data(&work->inputs[i], direction == CP_AEAD_SEAL ? operation->destination : operation->source, operation->length);
            mac_add_lengths(&work->inputs[i], operation);
        }
        mac_all(tags, work->inputs, streams, now);
        for (unsigned i = 0; i < now; i++) {
            cp_aead_operation *operation = few[i];
            if (direction == CP_AEAD_SEAL)
                seal_tag(operation, tags[i]);
            else if (open_tag(operation, tags[i]))
                xor_bytes(operation->destination, operation->source, streams[i] + CHACHA_BLOCK, operation->length);
        }
    }
}

/* Encrypts or decrypts `length` bytes from counter `span->counter` on. */
CP_INLINE void crypt(workspace *work, uint8_t *destination, const uint8_t *source, size_t length, chacha_span *span) {
    size_t whole = length / (WORDS * CHACHA_BLOCK) * (WORDS * CHACHA_BLOCK), rest = length - whole;
    if (whole > 0) {
        span->blocks = (uint32_t)(whole / CHACHA_BLOCK);
        chacha_xor(destination, source, span);
        span->counter += span->blocks;
    }
    if (rest > 0) {
        span->blocks = (uint32_t)((rest + CHACHA_BLOCK - 1) / CHACHA_BLOCK);
        make_key_stream(work, span, 1, span->blocks);
        xor_bytes(destination + whole, source + whole, work->key_stream, rest);
        span->counter += span->blocks;
    }
}

/*
 * A long operation. It goes piece by piece, so that what one step writes is in the nearest cache when the next one reads it; an open is
 * decrypted before its tag can be checked, and zeroed where that was wrong.
 */
static __attribute__((noinline)) void run_long(workspace *work, cp_aead_operation *operation, unsigned direction) {
    const size_t length = operation->length;
    chacha_span span = {operation->key->round_keys[0], operation->nonce, 0, WORDS};
    make_key_stream(work, &span, 1, WORDS);
    span.counter = WORDS;

    mac_state mac;
    mac_input input;
    mac_begin(&mac, work->key_stream, mac_blocks(operation));
    mac_clear(&input);
    mac_add_aad(&input, operation);
    mac_absorb_input(&mac, &input);

    size_t now = (WORDS - 1) * CHACHA_BLOCK; /* of the key stream that is there already, behind block 0, the one-time key */
    for (size_t done = 0; done < length; done += now, now = length - done < PIECE ? length - done : PIECE) {
        const uint8_t *source = operation->source + done;
        uint8_t *destination = operation->destination + done;
        mac_clear(&input);
        if (direction == CP_AEAD_OPEN) {
            mac_add_data(&input, source, (uint32_t)now);
            mac_absorb_input(&mac, &input);
        }
        if (done == 0)
            xor_bytes(destination, source, work->key_stream + CHACHA_BLOCK, now);
        else
            crypt(work, destination, source, now, &span);
        if (direction == CP_AEAD_SEAL) {
            mac_add_data(&input, destination, (uint32_t)now);
            mac_absorb_input(&mac, &input);
        }
    }
    mac_clear(&input);
    mac_add_lengths(&input, operation);
    mac_absorb_input(&mac, &input);

    uint8_t tag[CP_AEAD_TAG_SIZE];
    mac_end(&mac, tag);
    if (direction == CP_AEAD_SEAL)
        seal_tag(operation, tag);
    else
        open_tag(operation, tag);
    memset(&mac, 0, sizeof mac);
    __asm__ volatile("" : : "r"(&mac) : "memory");
    wipe_stack();
}

static void sort_by_length(cp_aead_operation **operations, size_t count) {
    for (size_t i = 1; i < count; i++) {
        cp_aead_operation *operation = operations[i];
        size_t to = i;
        for (; to > 0 && operations[to - 1]->length > operation->length; to--)
            operations[to] = operations[to - 1];
        operations[to] = operation;
    }
}

static __attribute__((noinline)) void run_slice(workspace *work, cp_aead_operation *const *operations, size_t count, unsigned direction) {
    cp_aead_operation **sorted = work->sorted;
    memcpy(sorted, operations, count * sizeof *sorted);
    sort_by_length(sorted, count);
    size_t first = 0;
    while (first < count && blocks_of(sorted[first]) <= LONG_BLOCKS) {
        uint32_t blocks = 0;
        size_t now = 0;
        while (first + now < count && blocks_of(sorted[first + now]) <= LONG_BLOCKS &&
               blocks + blocks_of(sorted[first + now]) <= KEY_STREAM_BLOCKS)
            blocks += blocks_of(sorted[first + now++]);
        if (now > QUADS && first + now < count)
            now -= now % QUADS;
        run_group(work, sorted + first, now, direction);
        first += now;
    }
    for (; first < count; first++)
        run_long(work, sorted[first], direction);
}

CP_INLINE void run(cp_aead_operation *const *operations, size_t count, unsigned direction) {
    workspace work;
    work.used = 0;
    for (size_t done = 0; done < count; done += SLICE)
        run_slice(&work, operations + done, count - done < SLICE ? count - done : SLICE, direction);
    memset(work.key_stream, 0, work.used);
    __asm__ volatile("" : : "r"(&work) : "memory");
    wipe_stack();
}

#ifdef __AVX512BW__
#define FOR_THIS_WIDTH(name) name##_avx512
#else
#define FOR_THIS_WIDTH(name) name##_avx2
#endif

void FOR_THIS_WIDTH(cp_chacha20_poly1305_seal)(cp_aead_operation *const *operations, size_t count) { run(operations, count, CP_AEAD_SEAL); }

void FOR_THIS_WIDTH(cp_chacha20_poly1305_open)(cp_aead_operation *const *operations, size_t count) { run(operations, count, CP_AEAD_OPEN); }
