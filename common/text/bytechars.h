/* bytechars.h - bytes as the printable characters that GPT-2's vocabulary has for them. */
#ifndef WEFT_BYTECHARS_H
#define WEFT_BYTECHARS_H

#include <stdint.h>

/* The character that stands for a byte; the byte for a character, or -1. */
uint32_t byte_char(uint8_t byte);
int char_byte(uint32_t cp);

#endif
