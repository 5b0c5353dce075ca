/* SPDX-License-Identifier: MIT */
#pragma once

/* getaddrinfo() of a test's own names; the program is linked with --wrap=getaddrinfo. Others do not exist.
 * Numeric addresses are the real one's. */

#include "base/macros.h"

typedef struct FakeName {
        const char *host;
        const char *addresses; /* separated by blanks; NULL: `error` */
        int error, number;     /* EAI_…, and errno of EAI_SYSTEM */
        bool held;             /* does not answer before fake_names_release() */
} FakeName;

void fake_names_set(const FakeName *rows, size_t n); /* and holds again */
void fake_names_release(void);
unsigned fake_names_asked(void); /* look-ups that have begun */
void fake_names_wait(unsigned n); /* until so many have begun */
size_t fake_names_threads(void);  /* more than at the start of the process */
void fake_names_end(unsigned others); /* until no look-up is left: `others` are the test's own threads */
