/* A set of secret bytes, and the question whether any eight of them in a row lie in some memory. */
#ifndef CP_TEST_SECRETS_H
#define CP_TEST_SECRETS_H

#include <stddef.h>
#include <stdint.h>

enum { CP_SECRET_WINDOW = 8 };

typedef struct cp_secrets cp_secrets;

cp_secrets *cp_secrets_new(void);
void cp_secrets_clear(cp_secrets *secrets);

/* Every eight bytes in a row, and those of every whole block of 16 with its bytes reversed. `name` must live as long as the set. */
void cp_secrets_add(cp_secrets *secrets, const char *name, const void *bytes, size_t count);

/* One word, which may have few bits. */
void cp_secrets_add_word(cp_secrets *secrets, const char *name, uint64_t word);

/* The first place from `*at` on where a secret lies: its name, and `*at` says where. NULL where there is none. */
const char *cp_secrets_find(const cp_secrets *secrets, const uint8_t *memory, size_t count, size_t *at);

#endif
