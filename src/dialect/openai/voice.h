/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/json/cursor.h"
#include "base/json/write.h"

/* Writes Gemini's "speechConfig" for OpenAI's name of a voice, or Gemini's own. */
void openai_voice_write(JsonView voice, JWriter *w);
