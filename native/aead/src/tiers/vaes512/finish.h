/* The end of an operation: its tag written or compared, and its status. */
#ifndef CP_VAES512_FINISH_H
#define CP_VAES512_FINISH_H

#include "lanes.h"

#include <string.h>

/* The plaintext of a forgery must not be seen. */
static __attribute__((noinline, cold, unused)) void cp_reject(cp_aead_operation *operation) {
    memset(operation->destination, 0, operation->length);
    operation->status = CP_AEAD_AUTHENTICATION_FAILED;
}

/* All 16 bytes are compared at once; only whether they were equal is branched on, which is what the caller learns. */
CP_INLINE void cp_finish(cp_aead_operation *operation, __m128i tag, int direction) {
    if (direction == CP_AEAD_SEAL) {
        _mm_storeu_si128((__m128i *)(operation->destination + operation->length), tag);
        operation->status = CP_AEAD_SUCCESS;
        return;
    }
    __m128i difference = _mm_xor_si128(tag, _mm_loadu_si128((const __m128i *)(operation->source + operation->length)));
    if (__builtin_expect(_mm_testz_si128(difference, difference), 1))
        operation->status = CP_AEAD_SUCCESS;
    else
        cp_reject(operation);
}

#endif
