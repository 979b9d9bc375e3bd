/* Memory between two pages that kill the process when they are touched. */
#ifndef CP_TEST_GUARD_H
#define CP_TEST_GUARD_H

#include <stddef.h>
#include <stdint.h>

enum { CP_PAGE = 4096 };

typedef struct {
    uint8_t *start, *end; /* what may be touched: whole pages */
} cp_guarded;

/* `size` is rounded up to whole pages. */
cp_guarded cp_guarded_new(size_t size);

/* From now on, a fault prints what `describe` prints and ends the program with exit code 1 (without a sanitizer, which says more). */
void cp_guard_report(void (*describe)(void));

/*
 * In a build with AddressSanitizer: makes every byte of the area but the given ones forbidden, and so finds what stays within the page.
 * The start is rounded down to 8 bytes, which is how finely AddressSanitizer sees. Elsewhere they do nothing.
 */
void cp_guard_only(cp_guarded area, const uint8_t *start, size_t count);
void cp_guard_all(cp_guarded area);

#endif
