/* Published examples, sealed, opened and opened with a wrong tag: by themselves, and all in one burst. */
#include "support/check.h"
#include "support/oracle.h"
#include "support/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DATA_LIMIT = 192 };

typedef struct {
    const char *section;
    uint8_t algorithm;
    const char *key, *nonce, *aad, *plaintext, *ciphertext, *tag;
} example;

#define GCM_KEY_3 "feffe9928665731c6d6a8f9467308308"
#define GCM_NONCE_3 "cafebabefacedbaddecaf888"
#define GCM_AAD_4 "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define GCM_PLAINTEXT_4                                                                                                                    \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define GCM_CIPHERTEXT_4                                                                                                                   \
    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
#define GCM_CIPHERTEXT_16                                                                                                                  \
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
#define ZEROS_16 "00000000000000000000000000000000"
#define ZEROS_12 "000000000000000000000000"

/* GCM: McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", Appendix B (those with nonces of 12 bytes and no 192-bit key). */
static const example examples[] = {
    {"GCM test case 1", CP_AEAD_AES_128_GCM, ZEROS_16, ZEROS_12, "", "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
    {"GCM test case 2", CP_AEAD_AES_128_GCM, ZEROS_16, ZEROS_12, "", ZEROS_16, "0388dace60b6a392f328c2b971b2fe78",
     "ab6e47d42cec13bdf53a67b21257bddf"},
    {"GCM test case 3", CP_AEAD_AES_128_GCM, GCM_KEY_3, GCM_NONCE_3, "", GCM_PLAINTEXT_4 "1aafd255", GCM_CIPHERTEXT_4 "473f5985",
     "4d5c2af327cd64a62cf35abd2ba6fab4"},
    {"GCM test case 4", CP_AEAD_AES_128_GCM, GCM_KEY_3, GCM_NONCE_3, GCM_AAD_4, GCM_PLAINTEXT_4, GCM_CIPHERTEXT_4,
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {"GCM test case 13", CP_AEAD_AES_256_GCM, ZEROS_16 ZEROS_16, ZEROS_12, "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"GCM test case 14", CP_AEAD_AES_256_GCM, ZEROS_16 ZEROS_16, ZEROS_12, "", ZEROS_16, "cea7403d4d606b6e074ec5d3baf39d18",
     "d0d1c8a799996bf0265b98b5d48ab919"},
    {"GCM test case 15", CP_AEAD_AES_256_GCM, GCM_KEY_3 GCM_KEY_3, GCM_NONCE_3, "", GCM_PLAINTEXT_4 "1aafd255",
     GCM_CIPHERTEXT_16 "898015ad", "b094dac5d93471bdec1a502270e3cc6c"},
    {"GCM test case 16", CP_AEAD_AES_256_GCM, GCM_KEY_3 GCM_KEY_3, GCM_NONCE_3, GCM_AAD_4, GCM_PLAINTEXT_4, GCM_CIPHERTEXT_16,
     "76fc6ece0f4e1768cddf8853bb2d551b"},
    {"RFC 8439 §2.8.2", CP_AEAD_CHACHA20_POLY1305, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
     "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c64206f6666657220796f75206f"
     "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f756c642062652069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
     "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116",
     "1ae10b594f09e26a7e902ecbd0600691"},
};

enum { EXAMPLES = sizeof examples / sizeof examples[0], WAYS = 3, SEAL = 0, OPEN = 1, OPEN_WRONG_TAG = 2 };

static size_t from_hex(const char *hex, uint8_t *bytes) {
    size_t count = strlen(hex) / 2;
    for (size_t i = 0; i < count; i++) {
        unsigned value;
        sscanf(hex + 2 * i, "%2x", &value);
        bytes[i] = (uint8_t)value;
    }
    return count;
}

typedef struct {
    uint8_t source[DATA_LIMIT], destination[DATA_LIMIT], expected[DATA_LIMIT], aad[32];
} buffers;

static buffers memory[EXAMPLES * WAYS];
static cp_aead_operation operations[EXAMPLES * WAYS] __attribute__((aligned(64)));

static void build(const example *e, int way, cp_aead_key *key, buffers *b, cp_aead_operation *o) {
    uint8_t raw[CP_AEAD_MAX_KEY_SIZE], plaintext[DATA_LIMIT], sealed[DATA_LIMIT];
    from_hex(e->key, raw);
    cp_key_expand(key, e->algorithm, raw);
    memset(b, 0xEE, sizeof *b);
    memset(o, 0xEE, sizeof *o);
    size_t length = from_hex(e->plaintext, plaintext), aad_length = from_hex(e->aad, b->aad);
    from_hex(e->ciphertext, sealed);
    from_hex(e->tag, sealed + length);
    from_hex(e->nonce, o->nonce);
    memset(b->expected, 0xEE, sizeof b->expected);
    if (way == SEAL) {
        memcpy(b->source, plaintext, length);
        memcpy(b->expected, sealed, length + CP_AEAD_TAG_SIZE);
    } else {
        memcpy(b->source, sealed, length + CP_AEAD_TAG_SIZE);
        memcpy(b->expected, plaintext, length);
    }
    if (way == OPEN_WRONG_TAG) {
        b->source[length + CP_AEAD_TAG_SIZE - 1] ^= 0x80;
        memset(b->expected, 0, length);
    }
    *o = (cp_aead_operation){.source = b->source,
                             .destination = b->destination,
                             .key = key,
                             .length = (uint32_t)length,
                             .aad_length = (uint16_t)aad_length,
                             .direction = way == SEAL ? CP_AEAD_SEAL : CP_AEAD_OPEN};
    from_hex(e->nonce, o->nonce);
    if (aad_length <= CP_AEAD_INLINE_AAD)
        memcpy(o->inline_aad, b->aad, aad_length);
    else
        o->aad = b->aad;
}

static void test(const cp_aead_tier *tier, const cp_options *options) {
    (void)options;
    cp_aead_key *keys = cp_keys_new(EXAMPLES);
    for (int single = 0; single < 2; single++) {
        for (int i = 0; i < EXAMPLES * WAYS; i++)
            build(&examples[i / WAYS], i % WAYS, &keys[i / WAYS], &memory[i], &operations[i]);
        for (int i = 0; single && i < EXAMPLES * WAYS; i++)
            tier->run(&operations[i], 1);
        if (!single)
            tier->run(operations, EXAMPLES * WAYS);
        for (int i = 0; i < EXAMPLES * WAYS; i++) {
            int expected = i % WAYS == OPEN_WRONG_TAG ? CP_AEAD_AUTHENTICATION_FAILED : CP_AEAD_SUCCESS;
            const char *section = examples[i / WAYS].section, *way = i % WAYS == SEAL ? "seal" : "open";
            CHECK(operations[i].status == expected, "%s, %s, single %d: status %d", section, way, single, operations[i].status);
            CHECK(memcmp(memory[i].destination, memory[i].expected, DATA_LIMIT) == 0, "%s, %s, single %d", section, way, single);
        }
    }

    /* A key that is none of ours, and none at all: nothing is written, and the others in the burst are carried out. */
    for (int i = 0; i < 3; i++)
        build(&examples[3], SEAL, &keys[i == 1], &memory[i], &operations[i]);
    keys[0].algorithm = 99;
    operations[2].key = NULL;
    tier->run(operations, 3);
    CHECK(operations[0].status == CP_AEAD_INVALID_OPERATION && memory[0].destination[0] == 0xEE, "unknown algorithm");
    CHECK(operations[1].status == CP_AEAD_SUCCESS, "beside invalid operations");
    CHECK(operations[2].status == CP_AEAD_INVALID_OPERATION && memory[2].destination[0] == 0xEE, "no key");
    tier->run(operations, 0);
    free(keys);
}

int main(int argc, char **argv) { return cp_test_tiers(argc, argv, test); }
