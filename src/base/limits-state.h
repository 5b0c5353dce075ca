/* SPDX-License-Identifier: MIT */
#pragma once

/* Limits of rows that are saved and found while requests go on. */

#define STATE_FIND_ROWS   1024U        /* found in a step, and restored in one turn, of ~3 ms */
#define STATE_FIND_BYTES  (1U << 20)   /* likewise; a row more may come, of 64 KiB at most */
#define STATE_READ_MAX    (1U << 30)   /* at the start, of a million slots; more is found in steps */
#define STATE_QUERY_MAX   (1U << 20)   /* 256 keys or projects of 9 lookups, 0.3 KiB each at most */
#define STATE_CHANGE_WAIT (1 * USEC_PER_SEC) /* how long a reload waits for a batch that is being written */
