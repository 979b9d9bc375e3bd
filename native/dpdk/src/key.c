/* Sessions of keys. */
#include "cryptodev.h"

#include <stdlib.h>

enum {
    /* Lengths of AAD per direction: TLS has one (5 bytes), ESP two (8, and 12 with ESN), and a key is for one protocol. */
    AAD_LENGTHS = 4
};

typedef struct {
    void *session[2][AAD_LENGTHS];
    uint16_t aad_length[2][AAD_LENGTHS];
    uint8_t count[2];
    uint8_t refused; /* the device would not make a session: it is not asked for every packet */
} attachment;

void *cpd_key_attach(cpd_cryptodev *device) {
    (void)device;
    return calloc(1, sizeof(attachment));
}

void cpd_key_detach(cpd_cryptodev *device, void *attached) {
    attachment *key = attached;
    if (key == NULL)
        return;
    for (int direction = 0; direction < 2; direction++) {
        for (int i = 0; i < key->count[direction]; i++)
            (void)rte_cryptodev_sym_session_free(device->id, key->session[direction][i]);
    }
    free(key);
}

static void *create(cpd_cryptodev *device, const cpd_key_block *key, unsigned direction, uint16_t aad_length, uint16_t iv_offset) {
    struct rte_crypto_sym_xform transform = {
        .type = RTE_CRYPTO_SYM_XFORM_AEAD,
        .aead = {
            .op = direction == CP_AEAD_SEAL ? RTE_CRYPTO_AEAD_OP_ENCRYPT : RTE_CRYPTO_AEAD_OP_DECRYPT,
            .algo = RTE_CRYPTO_AEAD_AES_GCM,
            .key = {.data = key->raw, .length = key->expanded.algorithm == CP_AEAD_AES_256_GCM ? 32 : 16},
            .iv = {.offset = iv_offset, .length = CP_AEAD_NONCE_SIZE},
            .digest_length = CP_AEAD_TAG_SIZE,
            .aad_length = aad_length,
        },
    };
    return rte_cryptodev_sym_session_create(device->id, &transform, device->sessions);
}

void *cpd_session_of(cpd_cryptodev *device, const cp_aead_operation *operation, uint16_t iv_offset) {
    const cpd_key_block *key = (const cpd_key_block *)operation->key;
    attachment *attached = key->attachment;
    unsigned direction = operation->direction & 1;
    if (attached == NULL)
        return NULL;
    for (int i = 0; i < attached->count[direction]; i++) {
        if (attached->aad_length[direction][i] == operation->aad_length)
            return attached->session[direction][i];
    }
    int next = attached->count[direction];
    /* DPDK writes a line to its log where the pool is empty, so it is not asked then. */
    if (next == AAD_LENGTHS || attached->refused || rte_mempool_empty(device->sessions))
        return NULL;
    void *session = create(device, key, direction, operation->aad_length, iv_offset);
    if (session == NULL) {
        attached->refused = 1;
        return NULL;
    }
    attached->session[direction][next] = session;
    attached->aad_length[direction][next] = operation->aad_length;
    attached->count[direction]++;
    return session;
}
