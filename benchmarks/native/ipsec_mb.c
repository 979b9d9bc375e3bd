/*
 * intel-ipsec-mb by its direct interface for AES-GCM: one call per packet, which is its fastest way with GCM (no job to fill, no queue).
 */
#include "peer.h"

#include <intel-ipsec-mb.h>
#include <stdio.h>
#include <stdlib.h>

static IMB_MGR *manager;
static char version[128];

static const char *architecture_name(IMB_ARCH architecture) {
    switch (architecture) {
    case IMB_ARCH_NOAESNI:
        return "no AES-NI";
    case IMB_ARCH_SSE:
        return "SSE";
    case IMB_ARCH_AVX:
        return "AVX";
    case IMB_ARCH_AVX2:
        return "AVX2";
    case IMB_ARCH_AVX512:
        return "AVX512";
    default:
        return "unknown";
    }
}

__attribute__((constructor)) static void choose(void) {
    manager = alloc_mb_mgr(0);
    if (manager == NULL)
        return;
    IMB_ARCH architecture = IMB_ARCH_NONE;
    init_mb_mgr_auto(manager, &architecture);
    int vector = (manager->features & IMB_FEATURE_VAES) != 0;
    int safe = (manager->features & IMB_FEATURE_SAFE_DATA) != 0;
    snprintf(version, sizeof version, "%s, %s%s, SAFE_DATA %s", imb_get_version_str(), architecture_name(architecture),
             vector ? " with VAES" : " without VAES", safe ? "on" : "off");
}

const char *peer_version(void) { return version; }

int peer_supports(uint8_t algorithm) { return manager != NULL && (algorithm == CP_AEAD_AES_128_GCM || algorithm == CP_AEAD_AES_256_GCM); }

void *peer_new_key(uint8_t algorithm, uint8_t direction, const uint8_t *raw) {
    (void)direction; /* GCM uses AES in one direction */
    struct gcm_key_data *key = aligned_alloc(64, sizeof *key);
    if (key == NULL)
        return NULL;
    if (algorithm == CP_AEAD_AES_128_GCM)
        IMB_AES128_GCM_PRE(manager, raw, key);
    else
        IMB_AES256_GCM_PRE(manager, raw, key);
    return key;
}

void peer_free_key(void *key) { free(key); }

static uint8_t *tag_of(const cp_aead_operation *operation) { return operation->destination + operation->length; }

static void seal(aes_gcm_enc_dec_t call, cp_aead_operation *operations, size_t count) {
    struct gcm_context_data context;
    for (size_t i = 0; i < count; i++) {
        cp_aead_operation *operation = &operations[i];
        call((const struct gcm_key_data *)operation->key, &context, operation->destination, operation->source, operation->length,
             operation->nonce, operation->inline_aad, operation->aad_length, tag_of(operation), CP_AEAD_TAG_SIZE);
        operation->status = CP_AEAD_SUCCESS;
    }
}

/* The library computes the tag; comparing it is the caller's. */
static int equals(const uint8_t *computed, const uint8_t *received) {
    uint64_t a[2], b[2];
    __builtin_memcpy(a, computed, sizeof a);
    __builtin_memcpy(b, received, sizeof b);
    return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
}

static void open(aes_gcm_enc_dec_t call, cp_aead_operation *operations, size_t count) {
    struct gcm_context_data context;
    uint8_t tag[CP_AEAD_TAG_SIZE];
    for (size_t i = 0; i < count; i++) {
        cp_aead_operation *operation = &operations[i];
        call((const struct gcm_key_data *)operation->key, &context, operation->destination, operation->source, operation->length,
             operation->nonce, operation->inline_aad, operation->aad_length, tag, CP_AEAD_TAG_SIZE);
        operation->status = equals(tag, operation->source + operation->length) ? CP_AEAD_SUCCESS : CP_AEAD_AUTHENTICATION_FAILED;
    }
}

void peer_run(uint8_t algorithm, uint8_t direction, cp_aead_operation *operations, size_t count) {
    int is_128 = algorithm == CP_AEAD_AES_128_GCM;
    if (direction == CP_AEAD_SEAL)
        seal(is_128 ? manager->gcm128_enc : manager->gcm256_enc, operations, count);
    else
        open(is_128 ? manager->gcm128_dec : manager->gcm256_dec, operations, count);
}
