/*
 * What a tag is over (RFC 8439 §2.8): AAD and ciphertext, each filled up to whole blocks with zeros, and their lengths.
 */
#ifndef CP_MAC_INPUT_H
#define CP_MAC_INPUT_H

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

CP_INLINE void mac_clear(mac_input *input) {
    input->count = 0;
    input->blocks = 0;
}

CP_INLINE void mac_add_aad(mac_input *input, const cp_aead_operation *operation) {
    const uint8_t *aad = operation->aad_length <= CP_AEAD_INLINE_AAD ? operation->inline_aad : operation->aad;
    mac_add_bytes(input, aad, operation->aad_length, input->last_of_aad);
}

CP_INLINE void mac_add_data(mac_input *input, const uint8_t *ciphertext, uint32_t length) {
    mac_add_bytes(input, ciphertext, length, input->last_of_data);
}

CP_INLINE void mac_add_lengths(mac_input *input, const cp_aead_operation *operation) {
    _mm_storeu_si128((__m128i *)input->lengths, _mm_set_epi64x((long long)operation->length, (long long)operation->aad_length));
    mac_add_piece(input, input->lengths, 1);
}

/* As many blocks as all that has. */
CP_INLINE uint64_t mac_blocks(const cp_aead_operation *operation) {
    return ((uint64_t)operation->aad_length + POLY_BLOCK - 1) / POLY_BLOCK + ((uint64_t)operation->length + POLY_BLOCK - 1) / POLY_BLOCK +
           1;
}

#endif
