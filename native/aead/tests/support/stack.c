#include "stack.h"

#include <string.h>

uint8_t cp_stack[CP_STACK_SIZE] __attribute__((aligned(4096)));

const char *const cp_general_names[CP_GENERAL] = {"rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11"};

/* The instruction once for each register, in the assembler's own loop. */
#define EACH(last, instruction)                                                                                                            \
    ".altmacro\n.macro each_ n\n" instruction "\n.endm\n.set i_, 0\n.rept " last                                                           \
    "\neach_ %%i_\n.set i_, i_ + 1\n.endr\n.purgem each_\n.noaltmacro\n"

/* rax: the function. r12: where the registers go; behind them comes the pattern. r13: the stack's end. rbx keeps our own stack. */
#define CALL(fill, store)                                                                                                                  \
    __asm__ volatile(fill "mov %%rsp, %%rbx\n\tmov %%r13, %%rsp\n\tcall *%%rax\n\tmov %%rbx, %%rsp\n\t"                                    \
                          "mov %%rax, 2048(%%r12)\n\tmov %%rcx, 2056(%%r12)\n\tmov %%rdx, 2064(%%r12)\n\tmov %%rsi, 2072(%%r12)\n\t"       \
                          "mov %%rdi, 2080(%%r12)\n\tmov %%r8, 2088(%%r12)\n\tmov %%r9, 2096(%%r12)\n\tmov %%r10, 2104(%%r12)\n\t"         \
                          "mov %%r11, 2112(%%r12)\n\t" store "vzeroupper"                                                                  \
                     : "+a"(function), "+D"(first), "+S"(second), "+d"(third)                                                              \
                     : "r"(to), "r"(top)                                                                                                   \
                     : "rbx", "rcx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",     \
                       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory")

_Static_assert(offsetof(cp_registers, general) == 2048, "the assembly knows where the registers go");

void cp_call_on_stack(void (*function)(void), uint64_t first, uint64_t second, uint64_t third, cp_registers *after) {
    memset(cp_stack, CP_STACK_PATTERN, sizeof cp_stack);
    memset(after, CP_STACK_PATTERN, sizeof *after);
    register cp_registers *to __asm__("r12") = after;
    register uint8_t *top __asm__("r13") = cp_stack + CP_STACK_SIZE;
    if (__builtin_cpu_supports("avx512f"))
        CALL(EACH("32", "vmovdqu64 (%%r12), %%zmm\\n"), EACH("32", "vmovdqu64 %%zmm\\n, 64*\\n(%%r12)"));
    else
        CALL(EACH("16", "vmovdqu (%%r12), %%ymm\\n"), EACH("16", "vmovdqu %%ymm\\n, 64*\\n(%%r12)"));
}
