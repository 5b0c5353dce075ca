/* SPDX-License-Identifier: MIT */
#pragma once

/* --- D-Bus and the control socket --- */
#define BUS_CALLS_MAX        256U   /* calls that wait until the bus and polkit have answered about them */
#define BUS_CALLS_SENDER_MAX 32U    /* of one connection, so that one client cannot take all */
#define BUS_POLKIT_MAX       32U    /* questions to polkit at one time */
#define BUS_POLKIT_USER_MAX  4U     /* of one user: one dialogue a person is enough */
#define BUS_PEERS_MAX        16U    /* connections to the control socket */
#define BUS_QUEUE_MAX        1024U  /* unread messages: above it the bus gets no signals and a peer is
                                     * disconnected; Reloaded may use as many again */
#define BUS_ROWS_MAX         65536U /* of one answer: 16 MiB; for up to 0.3 s nothing else is served */
#define BUS_OBJECTS_MAX      1024U  /* keys that GetManagedObjects lists: sd-bus writes them all at once */
