/*
 * What a peer in C looks like to the benchmark. It reads the same descriptors as we do and walks over a burst of them by itself, so that
 * it pays for no call from C# per packet. Every key is the peer's own, with a place of its own in memory.
 */
#ifndef CRYPTOPLANE_PEER_H
#define CRYPTOPLANE_PEER_H

#include "cryptoplane_aead.h"

/* The library's version, and which of its implementations it has chosen for this CPU where it says so. */
CP_AEAD_API const char *peer_version(void);

/* Whether the peer has `algorithm`, one of CP_AEAD_*. */
CP_AEAD_API int peer_supports(uint8_t algorithm);

/* A key for one direction, expanded once; NULL where that failed. */
CP_AEAD_API void *peer_new_key(uint8_t algorithm, uint8_t direction, const uint8_t *raw);

CP_AEAD_API void peer_free_key(void *key);

/* Carries out operations of one algorithm and direction; `key` of each is what peer_new_key gave, and AAD is inline. Sets `status`. */
CP_AEAD_API void peer_run(uint8_t algorithm, uint8_t direction, cp_aead_operation *operations, size_t count);

#endif
