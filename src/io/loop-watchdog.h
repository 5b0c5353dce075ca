/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Proves that the loop works. loop_watchdog_send() makes an event of gemgated's own ready, beside those of
 * the clients. When it is handled in its turn among them, every hook runs, and beat() is called when all of
 * them have returned. So there is no beat from a loop that hangs in a callback, that spins without reaching
 * its hot descriptors, or whose hooks do not return. An idle loop does beat. Other machines have no
 * influence on it.
 */

#include "io/loop.h"

typedef struct LoopWatchdog LoopWatchdog;

int loop_watchdog_new(Loop *l, void (*beat)(void *userdata), void *userdata, LoopWatchdog **ret);
LoopWatchdog *loop_watchdog_free(LoopWatchdog *p);
DEFINE_CLEANUP(LoopWatchdog *, loop_watchdog_free);

/* One at a time: a second call before the beat of the first changes nothing. */
void loop_watchdog_send(LoopWatchdog *p);
