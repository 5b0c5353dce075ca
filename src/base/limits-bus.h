/* SPDX-License-Identifier: MIT */
#pragma once

/* The ceilings of D-Bus and of the control socket; a part of base/limits.h. */

#define BUS_CALLS_MAX        256U   /* calls that wait until the bus and polkit have answered about them */
#define BUS_CALLS_SENDER_MAX 32U    /* of one connection, so that one client cannot take all */
#define BUS_POLKIT_MAX       32U    /* questions to polkit at one time */
#define BUS_POLKIT_USER_MAX  4U     /* of one user: one dialogue a person is enough */
#define BUS_PEERS_MAX        16U    /* connections to the control socket */
#define BUS_ACCEPTS_MAX      64U    /* of one turn, 16 turns a second: gone peers delay no others */
#define BUS_QUEUE_MAX        1024U  /* unread messages: above it the bus gets no signals and a peer is
                                     * disconnected; Reloaded may use as many again */
#define BUS_ROWS_MAX         65536U /* of one answer, of 256 to 600 bytes each */
#define BUS_LARGE_ROWS       256U   /* an answer with more rows, about 64 KiB, is a large one */
#define BUS_LOOKS_MAX        64U    /* calls of ExplainModel that wait for Google's list of models */
#define BUS_RELOADS_MAX      64U    /* calls of Reload that wait for the end of a reload */
#define BUS_TESTS_MAX        8U     /* keys that TestKeys tests at one time; calls of Test under way */
#define BUS_TESTED_MAX       1024U  /* keys that one TestKeys tests: each is a request to Google */
#define BUS_ANSWERS_MAX      16U    /* large answers that are being made; one of each client */
#define BUS_UNREAD_ROWS_MAX  (2U * BUS_ROWS_MAX) /* in all large answers that are made or not read yet */
#define BUS_ANSWER_STARTS_MAX 8U    /* of one answer, whose keys were replaced while it was made */
#define BUS_OBJECTS_MAX      1024U  /* keys that GetManagedObjects lists: sd-bus writes them all at once */
