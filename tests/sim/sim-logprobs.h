/* SPDX-License-Identifier: MIT */
#pragma once

/* logprobsResult and avgLogprobs of a text. A token is a word with the blanks before it; the figures follow
 * from its place. */

#include "base/json/write.h"

void logprobs_write(JWriter *w, const char *text, size_t n, unsigned top);
