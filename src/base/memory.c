/* SPDX-License-Identifier: MIT */
#include <malloc.h>

#include "base/memory.h"

/* mimalloc's, if the program is linked with it. */
extern void mi_collect(bool force) __attribute__((weak));

bool memory_noted;

void memory_give_back(void) {
        if (mi_collect)
                mi_collect(true);
        else
                (void) malloc_trim(0);
}

void memory_give_back_thread(void) {
        if (mi_collect)
                mi_collect(true);
}
