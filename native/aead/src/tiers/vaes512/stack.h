/*
 * Overwriting the stack that kernels used: what lies below the caller's frame, where the frames of the functions were that it called.
 * CMakeLists.txt has the compiler check that no frame is larger than what tier.c wipes.
 */
#ifndef CP_VAES512_STACK_H
#define CP_VAES512_STACK_H

/* After kernels of large.c. */
void cp_vaes512_wipe_large_frame(void);

/* The same where the key was spread. */
void cp_vaes512_wipe_spread_frame(void);

#endif
