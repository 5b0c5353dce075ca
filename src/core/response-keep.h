/* SPDX-License-Identifier: MIT */
#pragma once

/* RESPONSES_STORE: where responses are kept that a client may name later. */
typedef enum ResponseKeep {
        RESPONSE_KEEP_MEMORY, /* until the daemon ends */
        RESPONSE_KEEP_STATE,  /* in the state file, too */
        RESPONSE_KEEP_OFF,
} ResponseKeep;
