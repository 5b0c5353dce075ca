/* SPDX-License-Identifier: MIT */
#pragma once

/* The ceilings of WebSockets: of what a client, or Google, can grow in one. */

/* --- what comes --- */
#define WEBSOCKET_MESSAGE_MAX (16U << 20) /* bytes of a message; an image of 10 MiB is 13.4 MiB in base64;
                                           * above it the end is 1009 */
#define WEBSOCKET_READ_MAX  (16U << 10)   /* bytes of one read: its messages go on before the next */
#define WEBSOCKET_TURN_MAX  (256U << 10)  /* bytes read, or written, in a turn: 200 microseconds */
#define WEBSOCKET_PONGS_MAX 64U           /* that wait to be written: above it the peer is not read */
#define WEBSOCKET_ANSWER_MAX (64U << 10)  /* bytes of an error's body; the rest is cut off */

/* --- the request --- */
#define HTTP_UPGRADE_LIST_MAX (16U << 10) /* bytes of Upgrade and Connection: of a whole head */

/* --- what waits to be sent --- */
#define WEBSOCKET_QUEUE_ENTRY 128U        /* bytes that a queued message takes beside its own */
#define WEBSOCKET_QUEUE_HIGH (256U << 10) /* bytes: the other side is paused */
#define WEBSOCKET_QUEUE_LOW  (64U << 10)  /* and goes on */
/* What can come before the pause: one message, and what was read with it, where each of the smallest, of two
 * bytes, takes an entry. */
#define WEBSOCKET_QUEUE_MAX \
        (WEBSOCKET_QUEUE_HIGH + WEBSOCKET_MESSAGE_MAX + WEBSOCKET_READ_MAX / 2 * WEBSOCKET_QUEUE_ENTRY)

/* --- times --- */
#define WEBSOCKET_SILENCE     (20 * USEC_PER_SEC) /* then a ping; proxies end what is silent for a minute */
#define WEBSOCKET_ANSWER_TIME (20 * USEC_PER_SEC) /* then the peer is gone */
#define WEBSOCKET_STALL       (60 * USEC_PER_SEC) /* in which it must take something of what is queued */
#define WEBSOCKET_CLOSE_TIME  (5 * USEC_PER_SEC)  /* for its answer to the end */
