/* SPDX-License-Identifier: MIT */
#include <signal.h>

#include "base/macros.h"
#include "base/thread.h"

int thread_start(void *(*run)(void *userdata), void *userdata, pthread_t *ret) {
        sigset_t all, before;
        int r;

        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(ret, NULL, run, userdata);
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        return -r;
}
