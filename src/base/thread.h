/* SPDX-License-Identifier: MIT */
#pragma once

/* Starts a thread beside the loop. Signals are for the loop, so the thread blocks all of them. -errno. */

#include <pthread.h>

int thread_start(void *(*run)(void *userdata), void *userdata, pthread_t *ret);
