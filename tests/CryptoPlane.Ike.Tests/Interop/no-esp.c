/*
 * Preloaded into libreswan's pluto where the kernel has no ESP: what the kernel answers to "add an ESP SA" (not implemented) becomes "done",
 * so that IKE goes on as if packets could flow. Everything else passes through.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

ssize_t recvfrom(int descriptor, void *buffer, size_t size, int flags, struct sockaddr *from, socklen_t *from_size)
{
    ssize_t (*next)(int, void *, size_t, int, struct sockaddr *, socklen_t *) = dlsym(RTLD_NEXT, "recvfrom");
    ssize_t length = next(descriptor, buffer, size, flags, from, from_size);
    struct nlmsghdr *header = buffer;
    if (length < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) || !from || from->sa_family != AF_NETLINK || header->nlmsg_type != NLMSG_ERROR)
        return length;
    struct nlmsgerr *answer = NLMSG_DATA(header);
    /* ENOSYS, EPROTONOSUPPORT: no ESP to add to. ESRCH: nor, later, an SA to change or to delete. */
    if (answer->error == -ENOSYS || answer->error == -EPROTONOSUPPORT || answer->error == -ESRCH)
        answer->error = 0;
    return length;
}
