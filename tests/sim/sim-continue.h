/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * CONTINUATION: an answer in several hops. The token of a hop names the next one and the request that it
 * belongs to, so it needs no memory; a request with the token and with anything else changed is refused.
 */

#include <json-c/json.h>

#include "base/buf.h"

#define HOPS_MAX 32U

/*
 * Takes the token out of the request, whose hash is returned, if the model has hops. 0 and hop 0: there is
 * no token; -EINVAL: it is not one that belongs to this request.
 */
int continuation_take(json_object *request, const char *model, unsigned *ret_hop,
                      uint64_t *ret_request);

void continuation_write(unsigned hop, uint64_t request, Buf *out);
