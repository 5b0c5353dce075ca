/* SPDX-License-Identifier: MIT */
#pragma once

/* The ceilings of images, speech and transcriptions: dialect/openai. */

#define IMAGES_MAX        10U          /* `n`: OpenAI's limit; each is a request to Gemini */
#define IMAGES_ANSWER_MAX (256U << 20) /* ten images of 4K, as base64, are about 200 MiB */
#define IMAGE_SIDE_MAX    16384U       /* of `size`, so that its area is a number of 32 bits */
#define PROMPT_FRAME_MAX  4096U        /* of a request to Gemini, around the client's texts */

#define MULTIPART_PARTS_MAX    32U   /* of a form: OpenAI's have a dozen fields */
#define MULTIPART_HEAD_MAX     8192U /* bytes of a part's head */
#define MULTIPART_WORD_MAX     255U  /* bytes of a name, a file's name, a type; the rest is cut off */
#define MULTIPART_BOUNDARY_MAX 70U   /* RFC 2046 */
#define TRANSCRIPT_FIELD_MAX   65536U /* bytes of a field but the file: prompts are short */
