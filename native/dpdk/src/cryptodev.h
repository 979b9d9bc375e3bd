/* What cryptodev.c, key.c and queue_pair.c share. */
#ifndef CPD_CRYPTODEV_H
#define CPD_CRYPTODEV_H

#include "cryptoplane_dpdk.h"

#include <rte_cryptodev.h>
#include <rte_mempool.h>

struct cpd_cryptodev {
    uint8_t id;
    int started;
    int socket;
    uint32_t queue_pairs, depth;
    struct rte_mempool *sessions;
    cpd_cryptodev_info info;
};

/* The session for an operation, which is made if need be; NULL where the key is not attached or no session is left. */
void *cpd_session_of(cpd_cryptodev *device, const cp_aead_operation *operation, uint16_t iv_offset);

#endif
