/* SPDX-License-Identifier: MIT */
#pragma once

/* A request as it arrives: what libmicrohttpd calls for it. `cls` is the HttpServer. */

#include "io/http-internal.h"

HttpConnection *http_connection_of(struct MHD_Connection *mhd); /* NULL if there was no memory for it */

void *http_receive_line(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result http_receive(void *cls, struct MHD_Connection *mhd, const char *path, const char *method,
                             const char *version, const char *data, size_t *n_data, void **context);
void http_receive_end(void *cls, struct MHD_Connection *mhd, void **context,
                      enum MHD_RequestTerminationCode code);
