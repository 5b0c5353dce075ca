/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Proof that the loop serves. pulse_send() makes an event of our own ready beside those of the clients; when
 * it was taken in its turn among them, every hook is run, and only when all of them came back beat() is
 * called. So a loop that hangs in a callback, that spins without coming to its hot descriptors, or whose
 * hooks do not return, has no pulse; one that has nothing to do has. What other machines do has no part in
 * it. /
 */

#include "io/loop.h"

typedef struct Pulse Pulse;

int pulse_new(Loop *l, void (*beat)(void *userdata), void *userdata, Pulse **ret);
Pulse *pulse_free(Pulse *p);
DEFINE_CLEANUP(Pulse *, pulse_free);

void pulse_send(Pulse *p); /* one at a time: a second before the first one's beat is the same */
