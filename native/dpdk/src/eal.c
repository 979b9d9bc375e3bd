/* The environment abstraction layer, and memory that devices reach. */
#define _GNU_SOURCE
#include "cryptoplane_dpdk.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <rte_version.h>

uint32_t cpd_abi(void) { return CPD_ABI; }

const char *cpd_dpdk_version(void) { return rte_version(); }

int32_t cpd_eal_init(int32_t argc, char **argv) {
    /* The EAL pins the thread that initialises it, and threads that this one starts later would inherit that. */
    cpu_set_t affinity;
    int saved = pthread_getaffinity_np(pthread_self(), sizeof affinity, &affinity) == 0;
    int parsed = rte_eal_init(argc, argv);
    int error = rte_errno;
    if (saved)
        (void)pthread_setaffinity_np(pthread_self(), sizeof affinity, &affinity);
    if (parsed >= 0)
        return 0;
    return error > 0 ? -error : -EINVAL;
}

const char *cpd_runtime_directory(void) { return rte_eal_get_runtime_dir(); }

int32_t cpd_socket_remove_stale(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;
    if (strlen(path) >= sizeof address.sun_path || lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return 0;
    strcpy(address.sun_path, path);
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return -errno;
    /* EACCES and EAGAIN (a full backlog) do not say that nobody listens. */
    const bool stale = connect(probe, (const struct sockaddr *)&address, sizeof address) != 0 && errno == ECONNREFUSED;
    close(probe);
    if (!stale)
        return 0;
    return unlink(path) == 0 ? 1 : -errno;
}

int32_t cpd_eal_cleanup(void) { return rte_eal_cleanup(); }

void *cpd_memory_allocate(uint64_t bytes, uint32_t alignment, int32_t socket) {
    return rte_zmalloc_socket("cryptoplane", bytes, alignment, socket < 0 ? SOCKET_ID_ANY : socket);
}

void cpd_memory_free(void *memory, uint64_t bytes) {
    if (memory == NULL)
        return;
    explicit_bzero(memory, bytes);
    rte_free(memory);
}
