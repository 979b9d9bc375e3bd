/*
 * CryptoPlane's shim over DPDK: what C# cannot call by itself, because DPDK's fast functions are inline.
 *
 * Everything here is prefixed with cpd_, has fixed-width parameters, returns 0 or a count where it succeeds and a negative errno where it
 * fails, and never throws or exits. Nothing outside of this folder knows rte_*. One build of this library is for one DPDK ABI.
 *
 * Threads: the EAL and devices are for control threads; a queue pair belongs to one thread at a time (an lcore), and so do the keys that
 * its operations use. Nothing on the way of an operation locks, allocates from the C heap or calls the kernel.
 */
#ifndef CRYPTOPLANE_DPDK_H
#define CRYPTOPLANE_DPDK_H

#include "cryptoplane_aead.h"

#define CPD_API __attribute__((visibility("default")))

/* Changes with every change of a structure or of a function's meaning. */
#define CPD_ABI 1

enum {
    /* Status of an operation whose device failed: the destination holds zeros. The others are those of cryptoplane_aead.h. */
    CPD_STATUS_DEVICE_ERROR = 4,

    /* What a device takes at most: mbufs count bytes in 16 bits, and QuickAssist takes 240 bytes of AAD. */
    CPD_MAX_LENGTH = 65535 - CP_AEAD_TAG_SIZE,
    CPD_MAX_AAD = 240,

    CPD_NAME_SIZE = 64
};

/* ---- The environment abstraction layer: one per process, made once, on a control thread. ---- */

CPD_API uint32_t cpd_abi(void);

/* Such as "DPDK 22.11.11". */
CPD_API const char *cpd_dpdk_version(void);

/* Initialises the EAL with the arguments of a command line, argv[0] being any name. The calling thread's CPU affinity stays as it is. */
CPD_API int32_t cpd_eal_init(int32_t argc, char **argv);

/* Frees what the EAL holds. DPDK cannot be initialised again in this process. */
CPD_API int32_t cpd_eal_cleanup(void);

/* Zeroed memory on the EAL's heap, which devices reach; NULL where there is none left. `socket` is a NUMA node, or -1 for any. */
CPD_API void *cpd_memory_allocate(uint64_t bytes, uint32_t alignment, int32_t socket);

/* Zeroes and frees it. */
CPD_API void cpd_memory_free(void *memory, uint64_t bytes);

/* ---- Crypto devices. ---- */

typedef struct cpd_cryptodev cpd_cryptodev;
typedef struct cpd_queue_pair cpd_queue_pair;

typedef struct {
    char name[CPD_NAME_SIZE];   /* such as "crypto_aesni_gcm0" or "0000:3d:01.0_qat_sym" */
    char driver[CPD_NAME_SIZE]; /* such as "crypto_aesni_gcm" or "crypto_qat" */
    uint32_t max_queue_pairs;
    int32_t socket;             /* NUMA node, or -1 */
    uint16_t aad_max;           /* bytes of AAD that the device takes with AES-GCM */
    uint16_t aad_increment;     /* in steps of so many */
    uint8_t aes_128_gcm, aes_256_gcm;
    uint8_t out_of_place;       /* source and destination may differ */
    uint8_t is_hardware;
} cpd_cryptodev_info;

/* How many crypto devices the EAL has found; they are numbered from 0. */
CPD_API int32_t cpd_cryptodev_count(void);

/* A device's number by its name; -ENODEV where there is none: a device that failed to come up does not fail the EAL. */
CPD_API int32_t cpd_cryptodev_find(const char *name);

CPD_API int32_t cpd_cryptodev_describe(int32_t device, cpd_cryptodev_info *info);

/*
 * Configures a device with so many queue pairs, each for `depth` operations in flight, and room for `sessions` sessions, and starts it.
 * The caller owns the result, and closes it when all its queue pairs are closed and all keys are detached.
 */
CPD_API int32_t cpd_cryptodev_open(int32_t device, uint32_t queue_pairs, uint32_t depth, uint32_t sessions, cpd_cryptodev **result);
CPD_API int32_t cpd_cryptodev_close(cpd_cryptodev *device);

/*
 * Stops a device for good: on return it reads and writes no buffer any more, and what was in flight never comes back. No thread is in a
 * function of one of its queue pairs, nor enters one again but cpd_queue_pair_close. Keys may still be detached.
 */
CPD_API void cpd_cryptodev_stop(cpd_cryptodev *device);

/* ---- Keys. ---- */

/*
 * What C# keeps behind a key that the kernels know (src/CryptoPlane/Aead/AeadKeyBlock.cs).
 */
typedef struct {
    cp_aead_key expanded;
    uint8_t raw[CP_AEAD_MAX_KEY_SIZE];
    void *attachment; /* cpd_key_attach's result, while the key is attached to a device */
} cpd_key_block;

_Static_assert(offsetof(cpd_key_block, attachment) == 1056, "AeadKeyBlock.BackendSeal");

/*
 * Makes room for a key's sessions with a device, or NULL where there is no memory. A session is for one direction and one length of AAD,
 * and is made by the first operation that needs it, from the device's pool.
 */
CPD_API void *cpd_key_attach(cpd_cryptodev *device);

/* Frees them. Nothing in flight uses the key. */
CPD_API void cpd_key_detach(cpd_cryptodev *device, void *attachment);

/* ---- Queue pairs. ---- */

/* Queue pair number `index` of a device, for one thread; the caller closes it. */
CPD_API int32_t cpd_queue_pair_open(cpd_cryptodev *device, uint32_t index, cpd_queue_pair **result);

/* Nothing may be in flight, unless the device was stopped. */
CPD_API void cpd_queue_pair_close(cpd_queue_pair *queue);

CPD_API uint32_t cpd_queue_pair_in_flight(const cpd_queue_pair *queue);

/*
 * Submits operations whose keys are attached to the queue's device. They, their buffers and their keys are the queue's until
 * cpd_queue_pair_poll gives them back. Returns how many were taken, from the front.
 */
CPD_API uint32_t cpd_queue_pair_submit(cpd_queue_pair *queue, cp_aead_operation *operations, uint32_t count);

/*
 * Gives completed operations back in the order of their submission. One that the device cannot do (no data, too long, more AAD than it
 * takes, no session left) comes back as it was, with CP_AEAD_PENDING: the caller does it on the CPU.
 */
CPD_API uint32_t cpd_queue_pair_poll(cpd_queue_pair *queue, cp_aead_operation **completed, uint32_t capacity);

/*
 * After cpd_cryptodev_stop: everything in flight, and everything that is submitted from now on, ends with CPD_STATUS_DEVICE_ERROR and
 * zeros, and comes back by cpd_queue_pair_poll.
 */
CPD_API void cpd_queue_pair_abandon(cpd_queue_pair *queue);

#endif
