/* Starts the EAL and the crypto devices that the command line names, then answers requests until its input ends. */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cryptodev.h>
#include <rte_eal.h>

enum { MAX_REQUEST = 256 * 1024, POOL = 256, DATA_ROOM = 128 + 2048, DEPTH = 256, LIMIT_SECONDS = 60 };

struct rte_mempool *peer_operations;
static struct rte_mempool *packets_pool, *sessions_pool;
static peer_sa *sas[PEER_MAX_SAS];
static int answers; /* the descriptor: what libraries print on standard output must not get among the answers */

static void die(const char *what) {
    fprintf(stderr, "peer: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* Returns 0 at the end of the input. */
static int read_all(void *to, size_t count) {
    for (size_t got = 0; got < count;) {
        ssize_t n = read(STDIN_FILENO, (uint8_t *)to + got, count - got);
        if (n <= 0)
            return 0;
        got += (size_t)n;
    }
    return 1;
}

static void answer(const void *content, uint32_t length) {
    const struct { const void *data; size_t length; } parts[] = {{&length, sizeof length}, {content, length}};
    for (int i = 0; i < 2; i++) {
        for (size_t sent = 0; sent < parts[i].length;) {
            ssize_t n = write(answers, (const uint8_t *)parts[i].data + sent, parts[i].length - sent);
            if (n <= 0)
                die("cannot answer");
            sent += (size_t)n;
        }
    }
}

static void start_devices(void) {
    uint32_t private_size = 0;
    for (uint8_t id = 0; id < rte_cryptodev_count(); id++)
        private_size = RTE_MAX(private_size, rte_cryptodev_sym_get_private_session_size(id));
    sessions_pool = rte_cryptodev_sym_session_pool_create("peer_sessions", PEER_MAX_SAS, private_size, 0, 0, SOCKET_ID_ANY);
    peer_operations = rte_crypto_op_pool_create("peer_operations", RTE_CRYPTO_OP_TYPE_SYMMETRIC, POOL - 1, 0, 16, SOCKET_ID_ANY);
    packets_pool = rte_pktmbuf_pool_create("peer_packets", POOL - 1, 0, RTE_MBUF_PRIV_ALIGN, DATA_ROOM, SOCKET_ID_ANY);
    if (sessions_pool == NULL || peer_operations == NULL || packets_pool == NULL)
        die("no memory for pools");
    for (uint8_t id = 0; id < rte_cryptodev_count(); id++) {
        struct rte_cryptodev_config config = {.socket_id = SOCKET_ID_ANY, .nb_queue_pairs = 1};
        struct rte_cryptodev_qp_conf queue = {.nb_descriptors = DEPTH, .mp_session = sessions_pool};
        if (rte_cryptodev_configure(id, &config) != 0 || rte_cryptodev_queue_pair_setup(id, 0, &queue, SOCKET_ID_ANY) != 0 ||
            rte_cryptodev_start(id) != 0)
            die(rte_cryptodev_name_get(id));
    }
}

static void add_sa(const uint8_t *content, uint32_t length) {
    int32_t number = -EINVAL;
    peer_sa_request request;
    if (length == sizeof request) {
        memcpy(&request, content, sizeof request);
        for (number = 0; number < PEER_MAX_SAS && sas[number] != NULL; number++) {}
        if (number == PEER_MAX_SAS || request.device >= rte_cryptodev_count() || request.key_length > sizeof request.key)
            number = -EINVAL;
        else if ((sas[number] = peer_sa_create(&request, sessions_pool)) == NULL)
            number = -errno;
    }
    answer(&number, sizeof number);
}

static peer_sa **sa_of(const uint8_t *content, uint32_t length) {
    uint32_t number = PEER_MAX_SAS;
    if (length >= sizeof number)
        memcpy(&number, content, sizeof number);
    if (number >= PEER_MAX_SAS || sas[number] == NULL)
        die("there is no such SA");
    return &sas[number];
}

static void remove_sa(const uint8_t *content, uint32_t length) {
    peer_sa **sa = sa_of(content, length);
    peer_sa_free(*sa);
    *sa = NULL;
    int32_t done = 0;
    answer(&done, sizeof done);
}

/* Fills buffers from a request; returns how many. */
static uint16_t take_packets(const uint8_t *content, const uint8_t *end, struct rte_mbuf *packets[]) {
    uint16_t count;
    memcpy(&count, content, sizeof count);
    content += sizeof count;
    if (count > PEER_MAX_PACKETS || rte_pktmbuf_alloc_bulk(packets_pool, packets, count) != 0)
        die("too many packets");
    for (uint16_t i = 0; i < count; i++) {
        uint16_t length;
        memcpy(&length, content, sizeof length);
        content += sizeof length;
        char *data = content + length <= end ? rte_pktmbuf_append(packets[i], length) : NULL;
        if (data == NULL)
            die("a packet is too long");
        memcpy(data, content, length);
        content += length;
    }
    return count;
}

static void process(const uint8_t *content, uint32_t length) {
    static uint8_t reply[PEER_MAX_PACKETS * (3 + DATA_ROOM)];
    struct rte_mbuf *packets[PEER_MAX_PACKETS];
    uint8_t outcome[PEER_MAX_PACKETS];
    peer_sa *sa = *sa_of(content, length);
    uint16_t count = take_packets(content + sizeof(uint32_t), content + length, packets);
    peer_process(sa, packets, outcome, count);
    uint32_t size = 0;
    for (uint16_t i = 0; i < count; i++) {
        /* What was refused is nobody's to read. */
        uint16_t bytes = outcome[i] == OUTCOME_DONE ? packets[i]->data_len : 0;
        reply[size] = outcome[i];
        memcpy(reply + size + 1, &bytes, sizeof bytes);
        memcpy(reply + size + 3, rte_pktmbuf_mtod(packets[i], void *), bytes);
        size += 3u + bytes;
    }
    rte_pktmbuf_free_bulk(packets, count);
    answer(reply, size);
}

int main(int argc, char **argv) {
    static uint8_t request[MAX_REQUEST];
    answers = dup(STDOUT_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    if (rte_eal_init(argc, argv) < 0)
        die("the EAL does not start");
    start_devices();
    int32_t ready = rte_cryptodev_count();
    answer(&ready, sizeof ready);
    for (uint32_t length; read_all(&length, sizeof length);) {
        if (length == 0 || length > sizeof request || !read_all(request, length))
            die("a request is cut off or too long");
        alarm(LIMIT_SECONDS); /* A device that never completes ends the program, and so the test. */
        switch (request[0]) {
        case PEER_ADD_SA: add_sa(request + 1, length - 1); break;
        case PEER_REMOVE_SA: remove_sa(request + 1, length - 1); break;
        case PEER_PROCESS: process(request + 1, length - 1); break;
        default: errno = EINVAL; die("unknown request");
        }
        alarm(0);
    }
    return 0;
}
