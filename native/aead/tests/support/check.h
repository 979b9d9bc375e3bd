/* Checks, counted; the first failures are printed. */
#ifndef CP_TEST_CHECK_H
#define CP_TEST_CHECK_H

#include <stdio.h>

extern unsigned long cp_checks, cp_failures;

/* Counts a failure, and says whether to print it: a broken kernel would fill the screen. */
int cp_failed(const char *file, int line);

/* CHECK(condition, format, ...): `format` says what the case was. Evaluates to the condition. */
#define CHECK(condition, ...)                                                                                                              \
    __extension__({                                                                                                                        \
        int holds_ = !!(condition);                                                                                                        \
        cp_checks++;                                                                                                                       \
        if (!holds_ && cp_failed(__FILE__, __LINE__)) {                                                                                    \
            printf("  failed: %s: ", #condition);                                                                                          \
            printf(__VA_ARGS__);                                                                                                           \
            putchar('\n');                                                                                                                 \
        }                                                                                                                                  \
        holds_;                                                                                                                            \
    })

#endif
