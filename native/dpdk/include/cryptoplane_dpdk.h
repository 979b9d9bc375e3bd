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
#define CPD_ABI 3

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

/* The directory that this process's EAL made for what it shares with others. */
CPD_API const char *cpd_runtime_directory(void);

/*
 * Removes a socket at which nobody listens: a process left it that ended without closing its ports. 1 where it did, 0 where there is nothing to
 * remove (something else than a socket stays as well), otherwise a negative errno.
 */
CPD_API int32_t cpd_socket_remove_stale(const char *path);

/* Frees what the EAL holds. DPDK cannot be initialised again in this process. */
CPD_API int32_t cpd_eal_cleanup(void);

/* Zeroed memory on the EAL's heap, which devices reach; NULL where there is none left. `socket` is a NUMA node, or -1 for any. */
CPD_API void *cpd_memory_allocate(uint64_t bytes, uint32_t alignment, int32_t socket);

/* Zeroes and frees it. */
CPD_API void cpd_memory_free(void *memory, uint64_t bytes);

/* ---- Packet pools. ---- */

/*
 * The header that C# keeps of a packet (src/CryptoPlane/Buffers/PacketBuffer.cs), in the private area of its mbuf:
 *
 *   | rte_mbuf, 128 bytes | cpd_packet, 64 bytes | headroom | data ... | tailroom |
 */
typedef struct {
    uint8_t *start;
    uint32_t capacity; /* bytes from start to the end of the tailroom */
    uint32_t offset;   /* of the packet behind start */
    uint32_t length;
    uint32_t flags; /* CPD_PACKET_... */
    uint8_t scratch[40];
} cpd_packet;

enum {
    CPD_PACKET_IP_CHECKSUM_GOOD = 1,
    CPD_PACKET_IP_CHECKSUM_BAD = 2,
    CPD_PACKET_TRANSPORT_CHECKSUM_GOOD = 4,
    CPD_PACKET_TRANSPORT_CHECKSUM_BAD = 8
};

_Static_assert(sizeof(cpd_packet) == 64, "PacketBuffer");

/*
 * The free packets of one lcore's pool (src/CryptoPlane/Buffers/PacketStack.cs). C# and the drivers under this lcore's queues take from
 * it and give back to it, one at a time: a pool and the queues that it is used with belong to one thread.
 */
typedef struct {
    cpd_packet **items;
    uint32_t count, capacity;
} cpd_packet_stack;

/*
 * Makes a mempool of mbufs whose free list is `stack`, of capacity packets with so many bytes for headroom, data and tailroom each.
 * The stack stays where it is until the pool is freed.
 */
CPD_API int32_t cpd_pool_create(cpd_packet_stack *stack, uint32_t buffer_size, int32_t socket, void **pool);

/* Zeroes and frees it. No queue uses it any more. */
CPD_API void cpd_pool_free(void *pool);

/* ---- Ethernet ports. ---- */

typedef struct cpd_eth_port cpd_eth_port;
typedef struct cpd_eth_queue cpd_eth_queue;

typedef struct {
    char name[CPD_NAME_SIZE];   /* such as "net_tap0" or "0000:3b:00.0" */
    char driver[CPD_NAME_SIZE]; /* such as "net_tap" or "net_ice" */
    uint32_t max_queues;        /* of each direction */
    int32_t socket;             /* NUMA node, or -1 */
    uint32_t min_mtu, max_mtu;  /* bytes behind the Ethernet header */
    uint8_t mac[6];
    uint8_t checks_ip, checks_transport; /* verifies checksums of received packets */
    uint8_t spreads;                     /* RSS over several queues */
    uint8_t reserved[3];
} cpd_eth_info;

typedef struct {
    uint32_t queues;                          /* of each direction */
    uint32_t rx_descriptors, tx_descriptors;  /* 0: what the driver prefers */
    uint32_t mtu;                             /* 0: as it is */
    uint8_t promiscuous, all_multicast;
    uint8_t reserved[2];
} cpd_eth_options;

typedef struct {
    uint32_t megabits; /* 0: unknown */
    uint8_t up, full_duplex, removed, reserved;
} cpd_eth_link;

/* The port's own counters since it was opened. */
typedef struct {
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
    uint64_t rx_missed;    /* the queue was full */
    uint64_t rx_errors, tx_errors;
    uint64_t rx_no_buffer; /* the pool was empty */
} cpd_eth_counters;

/* A queue's counters: written by its thread, read by any. */
typedef struct {
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
    uint64_t rx_scattered;  /* dropped: in more than one buffer */
    uint64_t tx_short;      /* bursts of which the port did not take all */
} cpd_eth_queue_counters;

CPD_API int32_t cpd_eth_count(void);

/* The number of the index'th port: numbers may have gaps. */
CPD_API int32_t cpd_eth_number(uint32_t index);

/* A port's number by its name; -ENODEV. */
CPD_API int32_t cpd_eth_find(const char *name);

CPD_API int32_t cpd_eth_describe(int32_t number, cpd_eth_info *info);

/*
 * Configures a port and starts it; queue i receives into pools[i], which stays until the port is closed. -EMSGSIZE if a frame of the MTU
 * does not fit into a buffer of a pool.
 */
CPD_API int32_t cpd_eth_open(int32_t number, const cpd_eth_options *options, void *const *pools, cpd_eth_port **result);

/* Stops the port: its queues are not used any more, and all packets that it held are in their pools. */
CPD_API int32_t cpd_eth_close(cpd_eth_port *port);

/* The port's queue, which lives as long as the port. */
CPD_API cpd_eth_queue *cpd_eth_queue_of(cpd_eth_port *port, uint32_t index);

CPD_API const cpd_eth_queue_counters *cpd_eth_queue_read(const cpd_eth_queue *queue);

CPD_API void cpd_eth_link_get(const cpd_eth_port *port, cpd_eth_link *link);

CPD_API int32_t cpd_eth_counters_get(const cpd_eth_port *port, cpd_eth_counters *counters);

/* Whole frames, in packets of the queue's pool, which are the caller's then. */
CPD_API uint32_t cpd_eth_receive(cpd_eth_queue *queue, cpd_packet **burst, uint32_t capacity);

/*
 * Sends whole frames. Returns how many were taken, from the front: they go back to their pools by themselves. UINT32_MAX, and nothing
 * is sent, if a packet is not of a pool made by cpd_pool_create.
 */
CPD_API uint32_t cpd_eth_transmit(cpd_eth_queue *queue, cpd_packet *const *burst, uint32_t count);

/*
 * Asks the port to put packets into a queue by what is in them (rte_flow), over IPv4 or IPv6. -ENOTSUP or the driver's error where it
 * cannot; RSS and the lcores' rings do it then.
 */
CPD_API int32_t cpd_eth_steer_esp(cpd_eth_port *port, uint32_t queue, uint8_t ip_version, uint32_t spi, uint32_t spi_mask);
CPD_API int32_t cpd_eth_steer_udp(cpd_eth_port *port, uint32_t queue, uint8_t ip_version, uint16_t destination_port);

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

/*
 * Submits operations whose keys are attached to the queue's device. They, their buffers and their keys are the queue's until
 * cpd_queue_pair_poll gives them back. Returns how many were taken, from the front.
 */
CPD_API uint32_t cpd_queue_pair_submit(cpd_queue_pair *queue, cp_aead_operation *operations, uint32_t count);

/*
 * Gives completed operations back in the order of their submission. One that the device cannot do (no data, too long, more AAD than it
 * takes, no session left) comes back as it was, with CP_AEAD_PENDING: the caller does it on the CPU. `others` says how many of them have
 * another status than CP_AEAD_SUCCESS.
 */
CPD_API uint32_t cpd_queue_pair_poll(cpd_queue_pair *queue, cp_aead_operation **completed, uint32_t capacity, uint32_t *others);

/*
 * After cpd_cryptodev_stop: everything in flight, and everything that is submitted from now on, ends with CPD_STATUS_DEVICE_ERROR and
 * zeros, and comes back by cpd_queue_pair_poll.
 */
CPD_API void cpd_queue_pair_abandon(cpd_queue_pair *queue);

#endif
