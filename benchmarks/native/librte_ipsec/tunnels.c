/* The SAs of librte_ipsec, and the crypto device's sessions. */
#include "bench.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

enum { WINDOW = 1024, FIRST_SPI = 0x01000000 };

static uint8_t key[16] = "librte_ipsec key", salt[4] = "salt";

static struct rte_crypto_sym_xform transform(int opens) {
    return (struct rte_crypto_sym_xform){
        .type = RTE_CRYPTO_SYM_XFORM_AEAD,
        .aead = {
            .op = opens ? RTE_CRYPTO_AEAD_OP_DECRYPT : RTE_CRYPTO_AEAD_OP_ENCRYPT,
            .algo = RTE_CRYPTO_AEAD_AES_GCM,
            .key = {.data = key, .length = sizeof key},
            .iv = {.offset = offsetof(bench_private, nonce), .length = BENCH_NONCE},
            .digest_length = BENCH_ICV,
            .aad_length = BENCH_AAD,
        },
    };
}

static struct rte_ipsec_sa *make_sa(uint32_t spi, int opens) {
    static uint8_t header[BENCH_OUTER] = {0x45, [8] = 64, [9] = IPPROTO_ESP, [12] = 198, 51, 100, 1, 203, 0, 113, 1};
    struct rte_crypto_sym_xform crypto = transform(opens);
    struct rte_ipsec_sa_prm parameters = {
        .ipsec_xform = {
            .spi = spi,
            .direction = opens ? RTE_SECURITY_IPSEC_SA_DIR_INGRESS : RTE_SECURITY_IPSEC_SA_DIR_EGRESS,
            .proto = RTE_SECURITY_IPSEC_SA_PROTO_ESP,
            .mode = RTE_SECURITY_IPSEC_SA_MODE_TUNNEL,
            .tunnel.type = RTE_SECURITY_IPSEC_TUNNEL_IPV4,
            .options.esn = 1,
            .replay_win_sz = opens ? WINDOW : 0,
            .esn.value = opens ? 0 : 1,
        },
        .crypto_xform = &crypto,
        .tun = {.hdr_len = BENCH_OUTER, .next_proto = IPPROTO_IPIP, .hdr = header},
    };
    memcpy(&parameters.ipsec_xform.salt, salt, sizeof salt);
    int size = rte_ipsec_sa_size(&parameters);
    struct rte_ipsec_sa *sa = size > 0 ? rte_zmalloc("bench_sa", (size_t)size, RTE_CACHE_LINE_SIZE) : NULL;
    if (sa == NULL || rte_ipsec_sa_init(sa, &parameters, (uint32_t)size) < 0)
        bench_die("no SA");
    return sa;
}

static struct rte_mempool *start_device(uint32_t sessions) {
    uint32_t size = rte_cryptodev_sym_get_private_session_size(BENCH_DEVICE);
    struct rte_mempool *pool = rte_cryptodev_sym_session_pool_create("bench_sessions", sessions, size, 0, 0, SOCKET_ID_ANY);
    struct rte_cryptodev_config config = {.socket_id = SOCKET_ID_ANY, .nb_queue_pairs = 1};
    struct rte_cryptodev_qp_conf queue = {.nb_descriptors = 2 * BENCH_MAX_BURST, .mp_session = pool};
    if (pool == NULL || rte_cryptodev_configure(BENCH_DEVICE, &config) != 0 ||
        rte_cryptodev_queue_pair_setup(BENCH_DEVICE, 0, &queue, SOCKET_ID_ANY) != 0 || rte_cryptodev_start(BENCH_DEVICE) != 0)
        bench_die("the crypto device does not start");
    return pool;
}

static void make_sessions(bench_sa *sa, struct rte_cryptodev_sym_session *crypto, int opens) {
    sa->cpu.sa = sa->lookaside.sa = make_sa(sa->spi, opens);
    sa->cpu.crypto.ses = sa->lookaside.crypto.ses = crypto;
    sa->cpu.crypto.dev_id = sa->lookaside.crypto.dev_id = BENCH_DEVICE;
    sa->cpu.type = RTE_SECURITY_ACTION_TYPE_CPU_CRYPTO;
    sa->lookaside.type = RTE_SECURITY_ACTION_TYPE_NONE;
    /* The crypto session names one of the two as its owner: the last one, which is looked for by it. */
    if (crypto == NULL || rte_ipsec_session_prepare(&sa->cpu) != 0 || rte_ipsec_session_prepare(&sa->lookaside) != 0)
        bench_die("no session");
}

static void add_to_database(bench_tunnels *tunnels, bench_sa *sa) {
    union rte_ipsec_sad_key place = {.v4.spi = rte_cpu_to_be_32(sa->spi)};
    if (rte_ipsec_sad_add(tunnels->sad, &place, RTE_IPSEC_SAD_SPI_ONLY, sa) != 0)
        bench_die("the SA database does not take an SA");
}

void bench_tunnels_create(bench_tunnels *tunnels, int opens, uint32_t count) {
    struct rte_mempool *sessions = start_device(count + 1);
    struct rte_crypto_sym_xform ours = transform(opens), theirs = transform(0);
    struct rte_ipsec_sad_conf database = {.socket_id = SOCKET_ID_ANY, .max_sa = {[RTE_IPSEC_SAD_SPI_ONLY] = count}};
    tunnels->opens = opens;
    tunnels->count = count;
    tunnels->sas = rte_zmalloc("bench_sas", count * sizeof *tunnels->sas, RTE_CACHE_LINE_SIZE);
    tunnels->sequences = calloc(count, sizeof *tunnels->sequences);
    tunnels->order = calloc(count, sizeof *tunnels->order);
    tunnels->sad = opens ? rte_ipsec_sad_create("bench", &database) : NULL;
    tunnels->forge = opens ? rte_cryptodev_sym_session_create(BENCH_DEVICE, &theirs, sessions) : NULL;
    if (tunnels->sas == NULL || tunnels->sequences == NULL || tunnels->order == NULL || (opens && (tunnels->sad == NULL || tunnels->forge == NULL)))
        bench_die("no memory for the SAs");
    for (uint32_t i = 0; i < count; i++) {
        bench_sa *sa = tunnels->sas + i;
        sa->spi = FIRST_SPI + i;
        make_sessions(sa, rte_cryptodev_sym_session_create(BENCH_DEVICE, &ours, sessions), opens);
        if (opens)
            add_to_database(tunnels, sa);
        tunnels->order[i] = i;
    }
    srand(1);
    for (uint32_t i = count - 1; i > 0; i--) {
        uint32_t other = (uint32_t)rand() % (i + 1), kept = tunnels->order[i];
        tunnels->order[i] = tunnels->order[other];
        tunnels->order[other] = kept;
    }
}
