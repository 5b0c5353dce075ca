/* SPDX-License-Identifier: MIT */
#pragma once

/* The engine that calls Gemini's own API over HTTP. engine/engine.h explains calls. */

#include "engine/engine.h"
#include "io/http-client.h"

typedef struct EngineApiParams {
        const char
                *base_url; /* without a slash at the end; borrowed until engine_api_configure() or _free() */
        const char *ca_file; /* NULL: the system's CAs; borrowed likewise */
        bool warm; /* a connection is kept open */
        usec_t connect_timeout, first_byte_timeout, stream_idle_timeout;
} EngineApiParams;

int engine_api_new(Loop *loop, const EngineApiParams *p, Engine **ret);
void engine_api_configure(Engine *e, const EngineApiParams *p); /* for the calls from now on */
HttpClient *engine_api_client(const Engine *e); /* lives as long as the engine */
Engine *engine_api_free(Engine *e);                             /* every call must be freed before */
DEFINE_CLEANUP(Engine *, engine_api_free);
