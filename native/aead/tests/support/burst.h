/* A burst of random messages with everything that is known about them: built, run on a tier, and checked. */
#ifndef CP_TEST_BURST_H
#define CP_TEST_BURST_H

#include "oracle.h"
#include "random.h"

enum { CP_BURST_LIMIT = 128, CP_KEYS_PER_ALGORITHM = 8 };

/* What is wrong with a message that is opened. */
typedef enum { CP_GENUINE, CP_FORGED_TAG, CP_FORGED_CIPHERTEXT, CP_FORGED_AAD, CP_FORGED_NONCE, CP_FORGERIES } cp_forgery;

typedef struct {
    uint8_t algorithm, direction, in_place, key; /* the key is 0 to CP_KEYS_PER_ALGORITHM - 1 */
    cp_forgery forgery;
    uint32_t length;
    uint16_t aad_length;
} cp_shape;

typedef struct cp_burst cp_burst;

/* Keys are made from the random bytes, and replaced one at a time by cp_burst_new_key. */
cp_burst *cp_burst_new(cp_random *random);
void cp_burst_new_key(cp_burst *burst, uint8_t algorithm, uint8_t key);
void cp_burst_free(cp_burst *burst);

/* Adds a message of a shape, with all else at random: bytes, nonce, alignments. */
void cp_burst_add(cp_burst *burst, const cp_shape *shape);

/*
 * Runs the messages that were added and checks statuses, output (zeros where a forgery was opened), that source, AAD, keys and descriptors
 * are as before, and that nothing was written around the buffers. The burst is empty then.
 */
void cp_burst_run(cp_burst *burst, const cp_aead_tier *tier, const char *where);

#endif
