/* SPDX-License-Identifier: MIT */
#pragma once

/* The ceilings of gemgate's HTTP client: of what a server, or a proxy before it, sends. Those of whole
 * answers are in base/limits.h. */

/* --- the head of an answer; Google's have 1 KiB and 15 lines --- */
#define HTTP_ANSWER_HEAD_MAX (64U << 10) /* bytes of all heads of one answer, with the interim ones (1xx) */
#define HTTP_ANSWER_LINES_MAX 256U       /* of one head: each is passed on by itself */

/* --- chunks; answers are made of tens of thousands --- */
#define HTTP_ANSWER_WASTE_MAX (16U << 10) /* bytes of sizes and extensions beyond what the data explains */
#define HTTP_ANSWER_TRAILERS_MAX (16U << 10) /* bytes: checked and thrown away */

/* --- one connection --- */
#define HTTP_CLIENT_READ_MAX (32U << 10)  /* bytes of one read: what a call that was just paused holds */
#define HTTP_CLIENT_TURN_MAX (128U << 10) /* bytes read, or written, in a turn: 50 microseconds */
#define HTTP_CLIENT_PIECE_MAX (15U << 10) /* of a body that is not held; with its frame one record of TLS */
#define HTTP_REQUEST_HEAD_MAX (64U << 10) /* a target has 2 KiB, and some headers are a client's */
