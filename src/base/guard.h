/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Guards keep the Gemini CLI from interpreting a text. Without them it takes `/dir add /etc` at the
 * beginning of a prompt for a command, `@path` anywhere for a file to insert, `${…}` in a system text for a
 * variable, and drops turns of a history that begin with `/`, `?` or `<session_context>`. So the runner
 * puts a U+200B before and after every text, and one after each `@` and each `$`. The daemon's inner
 * listener, to which the CLI sends its requests, removes exactly these characters. So the CLI finds none of
 * its patterns, and Gemini receives the original text, byte for byte.
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
 * dropped: the runner sends one at the start, so that the CLI waits for its prompt. Negative: the buffer's
 * error.
 */
int guard_remove(Buf *b, const char *text, size_t n);
