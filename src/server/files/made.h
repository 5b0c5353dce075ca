/* SPDX-License-Identifier: MIT */
#pragma once

/* What clients have made at Google: answers are read for it, and it is bound to its project and its client
 * (pool/binding). */

#include "dialect/gemini/path.h"
#include "server/upstream-query.h"

/* From the answer, if it is about something of the kind; `maker`: the token that has made it, or NULL: it is
 * not new. */
void made_learn(const UpstreamQuery *query, const char *kind, const Token *maker);

/* What Google has made itself for the client: the results of a batch, videos, files that it registers.
 * `name`: of what the answer is about; only what comes of the client's own object becomes the client's. */
void made_learn_files(UpstreamQuery *query, const GeminiPath *row, const char *name);

/* From the answer of an exchange. `made`: as Google names it. */
void made_bind(Request *q, PoolKey *key, const char *made);

/* A session of the Live API. `name`: BINDING_SESSIONS and a digest. */
void made_bind_session(Request *q, PoolKey *key, const char *name);
