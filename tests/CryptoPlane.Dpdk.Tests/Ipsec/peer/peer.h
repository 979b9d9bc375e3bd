/*
 * An ESP peer made of DPDK's librte_ipsec: a program that IpsecPeer.cs builds, starts and tells what to do.
 *
 * A request is its length in 32 bits, a byte that says what is wanted, and what belongs to it; an answer is its length and its content.
 * Numbers are little-endian, as on the only machines that this runs on.
 *
 *   PEER_ADD_SA     peer_sa_request                         ->  int32: the SA's number, or a negative errno
 *   PEER_REMOVE_SA  u32 number                              ->  int32: 0
 *   PEER_PROCESS    u32 number, u16 count,                  ->  for each packet, in the same order: u8 outcome, u16 length, bytes
 *                   for each packet u16 length, bytes
 */
#ifndef PEER_H
#define PEER_H

#include <stdint.h>

#include <rte_ipsec.h>
#include <rte_mbuf.h>

enum {
    PEER_ADD_SA = 1,
    PEER_REMOVE_SA = 2,
    PEER_PROCESS = 3,

    PEER_MAX_PACKETS = 64, /* of a request */
    PEER_MAX_SAS = 256,
};

enum {
    OUTCOME_DONE = 0,
    OUTCOME_OUTER_HEADER = 1, /* it has errors, or is not that of the SA's tunnel */
    OUTCOME_PREPARE = 2,      /* refused by librte_ipsec before the cryptography: the anti-replay window, the sequence number, a length */
    OUTCOME_CRYPTO = 3,       /* the device says that it failed: the ICV is wrong */
    OUTCOME_PROCESS = 4,      /* refused by librte_ipsec afterwards: the window again, or the padding or next header */
};

typedef struct __attribute__((packed)) {
    uint8_t device; /* number of the crypto device */
    uint8_t opens;  /* 0: seals */
    uint8_t chacha20_poly1305;
    uint8_t esn;
    uint8_t inner_ipv6, outer_ipv6, udp;
    uint8_t key_length;
    uint32_t spi;
    uint32_t replay_window;
    uint64_t sequence; /* seals: the first; opens: the highest that was received */
    uint8_t key[32], salt[4];
    uint8_t source[16], destination[16]; /* of the outer header; of IPv4 the first four bytes */
    uint16_t source_port, destination_port;
} peer_sa_request;

typedef struct {
    struct rte_ipsec_session session; /* first: aligned to a cache line */
    peer_sa_request request;
    uint8_t header[40];
    uint32_t ip_length;    /* of the outer IP header */
    uint32_t outer_length; /* and with UDP */
} peer_sa;

/* Makes an SA and its sessions. Returns NULL and sets errno. */
peer_sa *peer_sa_create(const peer_sa_request *request, struct rte_mempool *sessions);
void peer_sa_free(peer_sa *sa);

/* The outer IP header of all packets of a tunnel, but for lengths, identification and checksum. */
void peer_outer_template(peer_sa *sa);
/* Whether a packet that was received has a sound outer header of the SA's tunnel. */
int peer_outer_is_sound(const peer_sa *sa, struct rte_mbuf *packet);
/* What librte_ipsec leaves to the port or the application: checksums. */
void peer_outer_finish(const peer_sa *sa, struct rte_mbuf *packet);

/* Crypto operations with room for a nonce, as many as a request has packets at least. */
extern struct rte_mempool *peer_operations;

/* Takes packets through librte_ipsec and the device; outcome[i] is of packets[i]. */
void peer_process(peer_sa *sa, struct rte_mbuf *const packets[], uint8_t outcome[], uint16_t count);

#endif
