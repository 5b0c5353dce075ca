/* SPDX-License-Identifier: MIT */
#pragma once

/* The name that a client gives what it makes: the id of an agent, ?tunedModelId=. One that another client
 * has chosen is refused: it would become this client's, and the other one would find it no longer. */

#include "base/buf.h"
#include "pool/binding.h"
#include "server/request.h"

#define CHOSEN_MAX       16U /* a body has one; of one with more nothing is made */
#define CHOSEN_BYTES_MAX (CHOSEN_MAX * (BINDING_NAME_MAX + 1))

/* The names that a checked body gives something of the kind, each with a NUL. Too many are an error of the
 * buffer. Pure. */
void chosen_list(const Buf *json, const char *kind, Buf *ret);

/* 0; HANDLER_E_REFUSED, −errno. `ret`: the name of something of the client's that is there already, whose
 * project then refuses it; else as it was. */
int chosen_check(Request *q, const char *kind, const Buf *names, char ret[static BINDING_NAME_MAX + 1],
                 ApiError *ret_error);
