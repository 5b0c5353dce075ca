/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Guards keep the Gemini CLI from interpreting a text. It takes `/dir add /etc` at a prompt's beginning for
 * a command, `@path` anywhere for a file to insert, `${…}` in a system text for a variable, and drops turns
 * of a history that begin with `/`, `?` or `<session_context>`. So the runner puts a U+200B before and after
 * every text, and one after each `@` and each `$`. The listener that the CLI sends its requests to removes
 * exactly those. The CLI then finds none of its patterns, and Gemini receives the original text, byte for
 * byte.
 */

#include "base/buf.h"

#define GUARD   "\xE2\x80\x8B" /* U+200B, ZERO WIDTH SPACE */
#define GUARD_N 3U

/* The most bytes that n bytes can become. */
#define GUARD_SIZE(n) ((n) * (1U + GUARD_N) + 2U * GUARD_N)

/* Appends the guarded text. Returns the buffer's error. */
int guard_append(Buf *b, const char *text, size_t n);

/*
 * The opposite. 1: the text between the guards is appended. 0: nothing is appended, because the text does
 * not come from the runner: it does not begin and end with a guard. Newlines before the first guard are
 * dropped: one of them is what made the CLI wait for its prompt. Negative: the buffer's error.
 */
int guard_remove(Buf *b, const char *text, size_t n);
