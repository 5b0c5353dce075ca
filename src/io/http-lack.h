/* SPDX-License-Identifier: MIT */
#pragma once

/* Origins whose calls wait for a descriptor: see http-lack.c. */

#include "io/http-pool-internal.h"

void http_lack_init(HttpPool *p); /* `p->lack` is its owner's to make */
void http_lack_done(HttpPool *p); /* no origin is left */

bool http_lack_admits(const HttpPool *p); /* there is a descriptor, and no origin waits for one */
bool http_lack_has(const HttpOrigin *o);
void http_lack_wait(HttpOrigin *o); /* it has its turn behind the others; harmless if it waits */
void http_lack_end(HttpOrigin *o);
void http_lack_idle(HttpPool *p);   /* a connection became idle: it is closed if another one needs it more */
void http_lack_on_look(Timeout *t); /* HttpOrigin.lack */
