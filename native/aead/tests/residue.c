/*
 * What a burst leaves behind. It runs on a stack of its own that was filled with a pattern; afterwards no eight bytes in a row of the
 * stack, of a vector register or of a general register that the callee may change are part of a secret: raw keys, round keys, the
 * powers of H and their half sums, key stream (also of the blocks behind the data, which kernels compute and throw away), E(J0) and the
 * hash it hides, the one-time keys of Poly1305, and the data in the clear. Seal, open and failed open, single and burst.
 *
 * What cannot be listed is not looked for: sums that depend on how a kernel groups blocks.
 */
#include "support/check.h"
#include "support/oracle.h"
#include "support/program.h"
#include "support/random.h"
#include "support/secrets.h"
#include "support/stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_LIMIT = 20000, BEHIND = 512, OPERATIONS = 33, KEYS = 3, WAYS = 3, SHOWN = 4 };

typedef struct {
    uint8_t source[LENGTH_LIMIT + CP_AEAD_TAG_SIZE], destination[LENGTH_LIMIT + CP_AEAD_TAG_SIZE], clear[LENGTH_LIMIT], aad[64];
} buffers;

static buffers memory[OPERATIONS];
static cp_aead_operation operations[OPERATIONS] __attribute__((aligned(64)));
static cp_aead_key *keys;
static uint8_t raw_keys[KEYS][CP_AEAD_MAX_KEY_SIZE];
static cp_oracle *oracles[KEYS];
static cp_secrets *secrets;
static cp_registers registers;

/* Fails where a secret lies on the stack or in a register, and says which and where; returns how many there are. */
static int look(const char *what, int report) {
    int found = 0;
    size_t at = 0;
    const char *name;
    for (; (name = cp_secrets_find(secrets, cp_stack, CP_STACK_SIZE, &at)) != NULL; at += CP_SECRET_WINDOW, found++) {
        if (report && found < SHOWN)
            printf("  %s: %s on the stack, %zu bytes below its end\n", what, name, CP_STACK_SIZE - at);
    }
    for (int i = 0; i < CP_VECTORS; i++) {
        at = 0;
        if ((name = cp_secrets_find(secrets, registers.vectors[i], sizeof registers.vectors[i], &at)) != NULL) {
            found++;
            if (report)
                printf("  %s: %s in vector register %d, byte %zu\n", what, name, i, at);
        }
    }
    for (int i = 0; i < CP_GENERAL; i++) {
        at = 0;
        if ((name = cp_secrets_find(secrets, (uint8_t *)&registers.general[i], sizeof(uint64_t), &at)) != NULL) {
            found++;
            if (report)
                printf("  %s: %s in %s\n", what, name, cp_general_names[i]);
        }
    }
    return found;
}

static void add_key_secrets(uint8_t algorithm, const cp_aead_key *key, const uint8_t *raw) {
    cp_secrets_add(secrets, "the key", raw, cp_key_size(algorithm));
    if (algorithm == CP_AEAD_CHACHA20_POLY1305)
        return;
    size_t rounds = cp_key_size(algorithm) / 4 + 6;
    const uint8_t zeros[16] = {0};
    uint8_t h[16];
    cp_oracle_aes_block(raw, (int)cp_key_size(algorithm), zeros, h);
    cp_secrets_add(secrets, "H", h, 16);
    cp_secrets_add(secrets, "a round key", key->round_keys, (rounds + 1) * 16);
    for (int i = 0; i < CP_AEAD_HASH_POWERS; i++)
        cp_secrets_add(secrets, "a power of H", key->hash_powers[i], 16);
    for (int i = 0; i < 8; i++) {
        cp_secrets_add_word(secrets, "a half sum", key->half_sums_low[i]);
        for (int line = 0; line < 3; line++)
            cp_secrets_add_word(secrets, "a half sum", key->half_sums_high[line][i]);
    }
}

/* Poly1305's r, clamped, and s (RFC 8439 §2.5), and r's limbs of 26 bits as kernels hold them. */
static void add_one_time_key(const uint8_t key[32]) {
    uint64_t low, high;
    memcpy(&low, key, 8);
    memcpy(&high, key + 8, 8);
    low &= 0x0FFFFFFC0FFFFFFF, high &= 0x0FFFFFFC0FFFFFFC;
    cp_secrets_add(secrets, "Poly1305's one-time key", key, 32);
    cp_secrets_add_word(secrets, "Poly1305's r", low);
    cp_secrets_add_word(secrets, "Poly1305's r", high);
    const uint64_t limbs[5] = {low & 0x3FFFFFF, low >> 26 & 0x3FFFFFF, (low >> 52 | high << 12) & 0x3FFFFFF, high >> 14 & 0x3FFFFFF,
                               high >> 40};
    /* A limb that happens to be small cannot be told from a length or a count. */
    for (int i = 0; i < 5; i++) {
        if (limbs[i] >= 1 << 18)
            cp_secrets_add_word(secrets, "a limb of Poly1305's r", limbs[i]);
    }
}

static void add_message_secrets(uint8_t algorithm, int key, const uint8_t *nonce, const buffers *b, size_t length, const uint8_t *tag) {
    static uint8_t stream[LENGTH_LIMIT + BEHIND + CP_AEAD_TAG_SIZE], zeros[LENGTH_LIMIT + BEHIND];
    /* Zeros, encrypted, are the key stream. */
    cp_oracle_seal(oracles[key], nonce, NULL, 0, zeros, length + BEHIND, stream);
    cp_secrets_add(secrets, "key stream", stream, (length + BEHIND) / 16 * 16);
    cp_secrets_add(secrets, "the plaintext", b->clear, length);
    if (algorithm == CP_AEAD_CHACHA20_POLY1305) {
        uint8_t one_time_key[64];
        cp_oracle_chacha20(raw_keys[key], 0, nonce, one_time_key, sizeof one_time_key);
        add_one_time_key(one_time_key);
        return;
    }
    uint8_t block[16] = {0}, mask[16], hash[16];
    memcpy(block, nonce, CP_AEAD_NONCE_SIZE);
    block[15] = 1;
    cp_oracle_aes_block(raw_keys[key], (int)cp_key_size(algorithm), block, mask);
    for (int i = 0; i < 16; i++)
        hash[i] = mask[i] ^ tag[i];
    cp_secrets_add(secrets, "E(J0)", mask, 16);
    cp_secrets_add(secrets, "the hash that E(J0) hides", hash, 16);
}

/* `spread` makes the lengths of the burst's messages different. */
static void build(cp_random *random, uint8_t algorithm, int way, size_t length, size_t count, size_t spread) {
    cp_secrets_clear(secrets);
    for (int key = 0; key < KEYS; key++)
        add_key_secrets(algorithm, &keys[key], raw_keys[key]);
    for (size_t i = 0; i < count; i++) {
        buffers *b = &memory[i];
        cp_aead_operation *o = &operations[i];
        size_t here = (length + i * spread) % (LENGTH_LIMIT + 1);
        int key = (int)(i % KEYS);
        uint16_t aad_length = i % 4 == 3 ? 40 : 13;
        uint8_t sealed[LENGTH_LIMIT + CP_AEAD_TAG_SIZE];
        cp_random_fill(random, o, sizeof *o);
        cp_random_fill(random, b->aad, sizeof b->aad);
        cp_random_fill(random, b->clear, here);
        cp_oracle_seal(oracles[key], o->nonce, b->aad, aad_length, b->clear, here, sealed);
        add_message_secrets(algorithm, key, o->nonce, b, here, sealed + here);
        memcpy(b->source, way == 0 ? b->clear : sealed, here);
        memcpy(b->source + here, sealed + here, CP_AEAD_TAG_SIZE);
        b->source[here] ^= way == 2;
        o->source = b->source, o->destination = b->destination, o->key = &keys[key];
        o->length = (uint32_t)here, o->aad_length = aad_length, o->direction = way > 0;
        if (aad_length <= CP_AEAD_INLINE_AAD)
            memcpy(o->inline_aad, b->aad, aad_length);
        else
            o->aad = b->aad;
    }
}

/* Would the test see it? This leaves a round key on the stack and a power of H in a register. */
static void leak(const cp_aead_operation *first) {
    uint8_t copy[16];
    memcpy(copy, first->key->round_keys[1], sizeof copy);
    __asm__ volatile("movdqu %0, %%xmm7" : : "m"(first->key->hash_powers[0][0]), "m"(copy) : "xmm7");
}

static void test_lengths(const cp_aead_tier *tier, cp_random *random, uint8_t algorithm) {
    static const size_t lengths[] = {0, 1, 15, 16, 17, 64, 100, 128, 256, 300, 512, 600, 1408, 2048, 4100, 16384, 19000};
    static const size_t counts[] = {1, 2, OPERATIONS}, spreads[] = {0, 1, 97};
    static const char *const ways[WAYS] = {"seal", "open", "failed open"};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (int bits = 0; bits < 3 * WAYS; bits++) {
            /* Long messages make many secrets, so they go alone and in pairs. */
            size_t count = counts[bits % 3], spread = spreads[i % 3];
            int way = bits / 3;
            if (lengths[i] > 1500 && count > 2)
                continue;
            char what[128];
            snprintf(what, sizeof what, "%s: %s, %s of %zu bytes + %zu each, burst of %zu", tier->name, cp_algorithm_name(algorithm),
                     ways[way], lengths[i], spread, count);
            build(random, algorithm, way, lengths[i], count, spread);
            cp_call_on_stack((void (*)(void))tier->run, (uint64_t)operations, count, 0, &registers);
            CHECK(look(what, 1) == 0, "%s", what);
            CHECK(cp_stack[0] == CP_STACK_PATTERN, "%s: the stack is too small", what);
            for (size_t o = 0; o < count; o++) {
                CHECK(operations[o].status == (way == 2 ? CP_AEAD_AUTHENTICATION_FAILED : CP_AEAD_SUCCESS), "%s: status", what);
                for (size_t at = 0; way == 2 && at < operations[o].length; at++) {
                    if (!CHECK(memory[o].destination[at] == 0, "%s: byte %zu of the output", what, at))
                        break;
                }
            }
        }
    }
}

static void test(const cp_aead_tier *tier, const cp_options *options) {
    cp_random random = {options->seed};
    secrets = secrets ? secrets : cp_secrets_new();
    keys = keys ? keys : cp_keys_new(KEYS);
    for (uint8_t algorithm = 1; algorithm <= 3; algorithm++) {
        for (int key = 0; key < KEYS; key++) {
            cp_random_fill(&random, raw_keys[key], CP_AEAD_MAX_KEY_SIZE);
            cp_call_on_stack((void (*)(void))cp_aead_expand_key, (uint64_t)&keys[key], algorithm, (uint64_t)raw_keys[key], &registers);
            cp_secrets_clear(secrets);
            add_key_secrets(algorithm, &keys[key], raw_keys[key]);
            CHECK(look("key expansion", 1) == 0, "key expansion, %s", cp_algorithm_name(algorithm));
            oracles[key] = cp_oracle_new(algorithm, raw_keys[key]);
        }
        if (algorithm != CP_AEAD_CHACHA20_POLY1305) {
            build(&random, algorithm, 0, 64, 1, 0);
            cp_call_on_stack((void (*)(void))leak, (uint64_t)operations, 0, 0, &registers);
            CHECK(look("leak", 0) >= 2, "a leak on purpose is not seen");
        }
        test_lengths(tier, &random, algorithm);
        for (int key = 0; key < KEYS; key++)
            cp_oracle_free(oracles[key]);
    }
}

int main(int argc, char **argv) { return cp_test_tiers(argc, argv, test); }
