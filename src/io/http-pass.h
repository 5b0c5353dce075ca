/* SPDX-License-Identifier: MIT */
#pragma once

/* A body that is passed on while it arrives. See http-pass.c. */

#include "io/http-internal.h"

enum MHD_Result http_pass_receive(HttpRequest *r, const char *p, size_t *n); /* sets *n to what is left */
void http_pass_linger(HttpRequest *r); /* it was answered in the middle of its body */
void http_pass_on_linger_due(Timeout *t);
