/* SPDX-License-Identifier: MIT */
#pragma once

/* CHAT_IMAGES: where an image that Gemini has made is in a chat answer. */
typedef enum ChatImages {
        CHAT_IMAGES_MEMBER,   /* message.images */
        CHAT_IMAGES_MARKDOWN, /* the text */
        CHAT_IMAGES_BOTH,
} ChatImages;
