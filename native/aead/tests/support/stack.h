/* A call on a stack of its own, which nothing else uses: what the call left there, and in the registers, can be looked at afterwards. */
#ifndef CP_TEST_STACK_H
#define CP_TEST_STACK_H

#include <stddef.h>
#include <stdint.h>

enum { CP_STACK_SIZE = 1 << 16, CP_STACK_PATTERN = 0x5A, CP_VECTORS = 32, CP_GENERAL = 9 };

/* As they were right after the return. */
typedef struct {
    uint8_t vectors[CP_VECTORS][64]; /* zmm0 to zmm31; what the CPU has not got holds the pattern */
    uint64_t general[CP_GENERAL];    /* those that a callee need not preserve: rax, rcx, rdx, rsi, rdi, r8 to r11 */
} cp_registers;

extern uint8_t cp_stack[CP_STACK_SIZE];

extern const char *const cp_general_names[CP_GENERAL];

/* Fills stack and vector registers with the pattern and calls `function` with up to three arguments. */
void cp_call_on_stack(void (*function)(void), uint64_t first, uint64_t second, uint64_t third, cp_registers *after);

#endif
