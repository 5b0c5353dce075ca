/* SPDX-License-Identifier: MIT */
#pragma once

/* The ceilings of images, speech and transcriptions: dialect/openai. */

#define IMAGES_MAX        10U          /* `n`: OpenAI's limit; each is a request to Gemini */
#define IMAGES_ANSWER_MAX (256U << 20) /* ten images of 4K, as base64, are about 200 MiB */
#define IMAGE_SIDE_MAX    16384U       /* of `size`, so that its area is a number of 32 bits */
#define PROMPT_FRAME_MAX  4096U        /* of a request to Gemini, around the client's texts */
