/* SPDX-License-Identifier: MIT */
#pragma once

/* Stored responses: GET and DELETE /v1/responses/{id}, its input_items, and its cancel. Request.rest is what
 * is behind /v1/responses/. */

#include "server/request.h"

int stored_response_get(Request *q, ApiError *ret_error);
int stored_response_delete(Request *q, ApiError *ret_error);
int stored_response_post(Request *q, ApiError *ret_error);
