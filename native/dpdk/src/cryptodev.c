/* Crypto devices: finding, describing, opening and closing them. */
#include "cryptodev.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_lcore.h>

int32_t cpd_cryptodev_count(void) { return rte_cryptodev_count(); }

int32_t cpd_cryptodev_find(const char *name) {
    int id = rte_cryptodev_get_dev_id(name);
    return id < 0 ? -ENODEV : id;
}

static void describe_gcm(uint8_t id, cpd_cryptodev_info *info) {
    const struct rte_cryptodev_sym_capability_idx index = {.type = RTE_CRYPTO_SYM_XFORM_AEAD, .algo.aead = RTE_CRYPTO_AEAD_AES_GCM};
    const struct rte_cryptodev_symmetric_capability *gcm = rte_cryptodev_sym_capability_get(id, &index);
    if (gcm == NULL)
        return;
    const uint16_t tag = CP_AEAD_TAG_SIZE, nonce = CP_AEAD_NONCE_SIZE, aad = gcm->aead.aad_size.min;
    info->aes_128_gcm = rte_cryptodev_sym_capability_check_aead(gcm, 16, tag, aad, nonce) == 0;
    info->aes_256_gcm = rte_cryptodev_sym_capability_check_aead(gcm, 32, tag, aad, nonce) == 0;
    info->aad_max = gcm->aead.aad_size.max;
    info->aad_increment = gcm->aead.aad_size.increment;
}

int32_t cpd_cryptodev_describe(int32_t device, cpd_cryptodev_info *info) {
    memset(info, 0, sizeof *info);
    if (device < 0 || device >= RTE_CRYPTO_MAX_DEVS || !rte_cryptodev_is_valid_dev((uint8_t)device))
        return -ENODEV;
    uint8_t id = (uint8_t)device;
    struct rte_cryptodev_info dpdk = {0};
    rte_cryptodev_info_get(id, &dpdk);
    snprintf(info->name, sizeof info->name, "%s", rte_cryptodev_name_get(id));
    snprintf(info->driver, sizeof info->driver, "%s", dpdk.driver_name);
    info->max_queue_pairs = dpdk.max_nb_queue_pairs;
    info->socket = rte_cryptodev_socket_id(id);
    info->out_of_place = (dpdk.feature_flags & RTE_CRYPTODEV_FF_OOP_LB_IN_LB_OUT) != 0;
    info->is_hardware = (dpdk.feature_flags & RTE_CRYPTODEV_FF_HW_ACCELERATED) != 0;
    describe_gcm(id, info);
    return 0;
}

static int configure(cpd_cryptodev *device, uint32_t sessions) {
    struct rte_cryptodev_config config = {
        .socket_id = device->socket,
        .nb_queue_pairs = (uint16_t)device->queue_pairs,
        .ff_disable = RTE_CRYPTODEV_FF_ASYMMETRIC_CRYPTO | RTE_CRYPTODEV_FF_SECURITY,
    };
    int error = rte_cryptodev_configure(device->id, &config);
    if (error != 0)
        return error;

    char name[RTE_MEMPOOL_NAMESIZE];
    snprintf(name, sizeof name, "cpd_sessions_%u", device->id);
    device->sessions = rte_cryptodev_sym_session_pool_create(name, sessions, rte_cryptodev_sym_get_private_session_size(device->id), 0, 0,
                                                             device->socket);
    if (device->sessions == NULL)
        return -ENOMEM;

    struct rte_cryptodev_qp_conf queue = {.nb_descriptors = device->depth, .mp_session = device->sessions};
    for (uint32_t i = 0; i < device->queue_pairs; i++) {
        error = rte_cryptodev_queue_pair_setup(device->id, (uint16_t)i, &queue, device->socket);
        if (error != 0)
            return error;
    }
    return rte_cryptodev_start(device->id);
}

int32_t cpd_cryptodev_open(int32_t id, uint32_t queue_pairs, uint32_t depth, uint32_t sessions, cpd_cryptodev **result) {
    cpd_cryptodev_info info;
    *result = NULL;
    int error = cpd_cryptodev_describe(id, &info);
    if (error != 0)
        return error;
    if (queue_pairs == 0 || queue_pairs > info.max_queue_pairs || depth == 0 || (depth & (depth - 1)) != 0 || sessions == 0)
        return -EINVAL;
    cpd_cryptodev *device = calloc(1, sizeof *device);
    if (device == NULL)
        return -ENOMEM;
    device->id = (uint8_t)id;
    device->socket = info.socket < 0 ? (int)rte_socket_id() : info.socket;
    if (device->socket < 0)
        device->socket = 0;
    device->queue_pairs = queue_pairs;
    device->depth = depth;
    device->info = info;
    error = configure(device, sessions);
    if (error != 0) {
        rte_mempool_free(device->sessions);
        free(device);
        return error < 0 ? error : -error;
    }
    device->started = 1;
    *result = device;
    return 0;
}

void cpd_cryptodev_stop(cpd_cryptodev *device) {
    if (device->started)
        rte_cryptodev_stop(device->id);
    device->started = 0;
}

int32_t cpd_cryptodev_close(cpd_cryptodev *device) {
    /* A session that is still out would be freed under its key. */
    if (rte_mempool_in_use_count(device->sessions) != 0)
        return -EBUSY;
    cpd_cryptodev_stop(device);
    rte_mempool_free(device->sessions);
    free(device);
    return 0;
}
