/* Overwriting what a kernel left behind. */
#ifndef CP_WIPE_H
#define CP_WIPE_H

#include <string.h>

/* Overwrites the stack below the caller, where the frames of the functions it called were. */
static __attribute__((noinline, unused)) void cp_wipe_stack(void) {
    unsigned char below[2048];
    memset(below, 0, sizeof below);
    /* The compiler cannot know that nobody reads it. */
    __asm__ volatile("" : : "r"(below) : "memory");
}

/* Clears the general registers that a callee need not preserve: copies of a few bytes, and parts of keys, go through them. */
static inline __attribute__((always_inline, unused)) void cp_wipe_general_registers(void) {
    __asm__ volatile("xor %%eax, %%eax\n\txor %%ecx, %%ecx\n\txor %%edx, %%edx\n\txor %%esi, %%esi\n\txor %%edi, %%edi\n\t"
                     "xor %%r8d, %%r8d\n\txor %%r9d, %%r9d\n\txor %%r10d, %%r10d\n\txor %%r11d, %%r11d"
                     :
                     :
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc");
}

/* Clears the registers of SSE code. Wider kernels clear what they use: see the tiers. */
static inline __attribute__((always_inline, unused)) void cp_wipe_sse_registers(void) {
    __asm__ volatile("pxor %%xmm0, %%xmm0\n\tpxor %%xmm1, %%xmm1\n\tpxor %%xmm2, %%xmm2\n\tpxor %%xmm3, %%xmm3\n\t"
                     "pxor %%xmm4, %%xmm4\n\tpxor %%xmm5, %%xmm5\n\tpxor %%xmm6, %%xmm6\n\tpxor %%xmm7, %%xmm7\n\t"
                     "pxor %%xmm8, %%xmm8\n\tpxor %%xmm9, %%xmm9\n\tpxor %%xmm10, %%xmm10\n\tpxor %%xmm11, %%xmm11\n\t"
                     "pxor %%xmm12, %%xmm12\n\tpxor %%xmm13, %%xmm13\n\tpxor %%xmm14, %%xmm14\n\tpxor %%xmm15, %%xmm15"
                     :
                     :
                     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                       "xmm14", "xmm15");
}

#endif
