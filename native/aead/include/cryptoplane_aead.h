/*
 * CryptoPlane's AEAD kernels: AES-128/256-GCM and ChaCha20-Poly1305 in bursts, on the CPU.
 *
 * The whole interface. There is no global state, no lock and no allocation: a tier (the kernels for one class of CPU) is a constant
 * table, an operation is one cache line that the caller owns, and a key is a block of memory that the caller owns. Any number of threads
 * may run bursts at once, as long as no operation or buffer is in two bursts.
 *
 * C# reads the same structures: src/CryptoPlane/Aead/AeadOperation.cs and AeadKeyBlock.cs. Both sides assert the layout.
 */
#ifndef CRYPTOPLANE_AEAD_H
#define CRYPTOPLANE_AEAD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CP_AEAD_API __attribute__((visibility("default")))

/* Changes with every change of a structure or of a function's meaning: a caller takes a library of exactly its own number. */
#define CP_AEAD_ABI 1

enum {
    CP_AEAD_NONCE_SIZE = 12,
    CP_AEAD_TAG_SIZE = 16,
    CP_AEAD_INLINE_AAD = 16,
    CP_AEAD_MAX_KEY_SIZE = 32,
    CP_AEAD_HASH_POWERS = 32
};

/* Algorithms (AEAD_AES_128_GCM and AEAD_AES_256_GCM of RFC 5116, AEAD_CHACHA20_POLY1305 of RFC 8439). */
enum {
    CP_AEAD_AES_128_GCM = 1,
    CP_AEAD_AES_256_GCM = 2,
    CP_AEAD_CHACHA20_POLY1305 = 3
};

enum {
    CP_AEAD_SEAL = 0,
    CP_AEAD_OPEN = 1
};

/* What became of an operation. */
enum {
    CP_AEAD_PENDING = 0,
    CP_AEAD_SUCCESS = 1,
    CP_AEAD_AUTHENTICATION_FAILED = 2, /* the tag was wrong: the destination holds zeros */
    CP_AEAD_INVALID_OPERATION = 3      /* the key's algorithm is none of these: nothing was written */
};

/*
 * An expanded key, aligned to 64 bytes. What a small packet touches lies side by side (lines 6 to 11 of 64 bytes for AES-128 and up to
 * eight hash products), since the keys of 100,000 tunnels do not fit into a cache:
 *
 *     line  0        6        8        9                 13             16
 *           | H^32 … | H^8 … H^1 | half sums | header, round keys | half sums |
 *           | H^9    |           | of H^8…1  |                    | of H^32…9 |
 *
 * For AES-GCM, "H" is the hash key in the representation of POLYVAL (RFC 8452, Appendix A): the bytes of every block reversed, and H
 * multiplied by x once, so that products need no shift. A half sum is the XOR of a power's two 64-bit halves, the third factor of
 * Karatsuba's multiplication. Eight of them fill a line, so that one load serves eight blocks whatever the width of a vector: entry
 * 2·l holds the half sum of H^(8−l), entry 2·l + 1 that of H^(4−l), for l = 0 … 3 (and so on for H^16…H^9 and the rest).
 *
 * For ChaCha20-Poly1305 the 32-byte key is where the round keys begin, and the rest is not used.
 */
typedef struct cp_aead_key {
    uint8_t hash_powers[CP_AEAD_HASH_POWERS][16]; /* H^32 first, H^1 last */
    uint64_t half_sums_low[8];                    /* of H^8 … H^1 */
    uint8_t algorithm;
    uint8_t callers_own[15];                      /* the kernels neither read nor write it */
    uint8_t round_keys[15][16];                   /* AES: 11 or 15 of them. ChaCha20: the key */
    uint64_t half_sums_high[3][8];                /* of H^16 … H^9, H^24 … H^17, H^32 … H^25 */
} cp_aead_key;

/*
 * One operation, aligned to 64 bytes. The tag lies right behind the ciphertext: a seal reads `length` bytes at `source` and writes
 * `length` + 16 bytes at `destination`; an open reads `length` + 16 bytes and writes `length` bytes. The two are the same address
 * (in place) or do not overlap. Not one byte is read or written outside of these, of the AAD and of this structure.
 */
typedef struct cp_aead_operation {
    const uint8_t *source;
    uint8_t *destination;
    const cp_aead_key *key;
    uint32_t length;     /* bytes of plaintext, which are as many as of ciphertext; at most 2^31 − 1 */
    uint16_t aad_length; /* bytes; up to 16 of them are inline */
    uint8_t direction;   /* CP_AEAD_SEAL or CP_AEAD_OPEN */
    uint8_t status;      /* written by the kernels */
    union {
        uint8_t inline_aad[CP_AEAD_INLINE_AAD]; /* what lies behind `aad_length` bytes does not count */
        const uint8_t *aad;                     /* where there are more than 16 bytes */
    };
    uint8_t nonce[CP_AEAD_NONCE_SIZE];
    uint32_t user_data; /* the caller's own */
} cp_aead_operation;

_Static_assert(sizeof(cp_aead_key) == 1024, "a key is 16 cache lines");
_Static_assert(offsetof(cp_aead_key, half_sums_low) == 512, "key layout");
_Static_assert(offsetof(cp_aead_key, algorithm) == 576, "key layout");
_Static_assert(offsetof(cp_aead_key, round_keys) == 592, "key layout");
_Static_assert(offsetof(cp_aead_key, half_sums_high) == 832, "key layout");
_Static_assert(sizeof(cp_aead_operation) == 64, "an operation is one cache line");
_Static_assert(offsetof(cp_aead_operation, length) == 24, "operation layout");
_Static_assert(offsetof(cp_aead_operation, status) == 31, "operation layout");
_Static_assert(offsetof(cp_aead_operation, inline_aad) == 32, "operation layout");
_Static_assert(offsetof(cp_aead_operation, nonce) == 48, "operation layout");

/* The kernels for one class of CPU. A constant: it lives as long as the library is loaded. */
typedef struct cp_aead_tier {
    const char *name;         /* for options: "vaes512" */
    const char *instructions; /* what it needs, for people: "VAES, VPCLMULQDQ, AVX-512BW and BMI2" */

    /* Whether this CPU and operating system have what the tier needs. */
    int (*is_supported)(void);

    /*
     * Carries out `count` operations that may mix keys, algorithms, sizes and directions. All of them have completed on return, and
     * neither stack nor vector registers hold anything secret then. An operation in the burst does not depend on another.
     */
    void (*run)(cp_aead_operation *operations, size_t count);
} cp_aead_tier;

/* CP_AEAD_ABI of the library. */
CP_AEAD_API uint32_t cp_aead_abi(void);

/* The tiers that were built, the fastest first; NULL where `index` is behind the last. Check is_supported before use. */
CP_AEAD_API const cp_aead_tier *cp_aead_tier_at(size_t index);

/*
 * The tier to use: the one that the environment variable CRYPTOPLANE_AEAD_TIER names, else the fastest that this CPU has.
 * NULL where the variable names none, or one that the CPU lacks, or where the CPU has none.
 */
CP_AEAD_API const cp_aead_tier *cp_aead_select(void);

/*
 * Expands a key of 16 or 32 bytes. Zeroing the key when it is done with is the caller's; `callers_own` is left alone.
 * Returns 0 where the algorithm is unknown, or the CPU lacks AES-NI and PCLMULQDQ.
 */
CP_AEAD_API int cp_aead_expand_key(cp_aead_key *key, uint8_t algorithm, const uint8_t *raw);

#ifdef __cplusplus
}
#endif

#endif
