#include "guard.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

cp_guarded cp_guarded_new(size_t size) {
    size = (size + CP_PAGE - 1) / CP_PAGE * CP_PAGE;
    uint8_t *all = mmap(NULL, size + 2 * CP_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all + CP_PAGE, size, PROT_READ | PROT_WRITE) != 0) {
        perror("guard pages");
        exit(2);
    }
    return (cp_guarded){all + CP_PAGE, all + CP_PAGE + size};
}

#ifdef __SANITIZE_ADDRESS__

void cp_guard_report(void (*describe)(void)) { (void)describe; }

void cp_guard_only(cp_guarded area, const uint8_t *start, size_t count) {
    ASAN_POISON_MEMORY_REGION(area.start, (size_t)(area.end - area.start));
    const uint8_t *from = (const uint8_t *)((uintptr_t)start & ~(uintptr_t)7);
    ASAN_UNPOISON_MEMORY_REGION(from, (size_t)(start + count - from));
}

void cp_guard_all(cp_guarded area) { ASAN_UNPOISON_MEMORY_REGION(area.start, (size_t)(area.end - area.start)); }

#else

static void (*describe_case)(void);

/* The program is lost anyway, so it matters little that printing is not safe in a signal handler. */
static void on_fault(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    printf("FAULT at %p\n", info->si_addr);
    describe_case();
    fflush(stdout);
    _exit(1);
}

void cp_guard_report(void (*describe)(void)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    describe_case = describe;
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
}

void cp_guard_only(cp_guarded area, const uint8_t *start, size_t count) { (void)area, (void)start, (void)count; }

void cp_guard_all(cp_guarded area) { (void)area; }

#endif
