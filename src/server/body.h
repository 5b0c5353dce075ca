/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The body of a request: how large it may be, and whether it is held, passed on, or not wanted. The body of
 * an upload (ROUTE_UPLOAD_TOKEN) is passed on while it arrives, unless its length is known and small. Then
 * the handler runs at the head, and http_request_is_passed().
 */

#include "dialect/api-error.h"
#include "server/request.h"

/* What can be seen in the head. 0, or HANDLER_E_REFUSED with the error. */
int body_check_head(Request *q, ApiError *ret_error);

void body_begin(Request *q); /* the head is right: lets the body come, and may run the handler */
void body_on_end(Request *q); /* it is complete, or has a fault: runs the handler, or answers */
