/* SPDX-License-Identifier: MIT */
#pragma once

/* The ceilings of stored responses: core/response-store. */

#define RESPONSES_MAX              8192U       /* of all clients */
#define RESPONSES_BYTES_MAX        (128U << 20)
#define RESPONSES_CLIENT_MAX       2048U       /* of one, so that no client can take all */
#define RESPONSES_CLIENT_BYTES_MAX (32U << 20)
#define RESPONSE_BYTES_MAX         (8U << 20)  /* of one, with its input: some images */
#define RESPONSES_AGE_MAX          USEC_PER_HOUR /* since the last use */
#define RESPONSES_HISTORY_MAX      (20U << 20) /* bytes before one: Google takes no longer request */
#define RESPONSES_CHAIN_MAX        1024U       /* responses before one: turns of a conversation */
